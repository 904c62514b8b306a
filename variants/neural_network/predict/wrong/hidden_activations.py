"""Looks for the largest hidden activation instead of the output."""


@add_to(NNClassifier)
def predict(self, X):
    A1 = self.model.forward_propagation(X)["A1"]
    return np.argmax(A1, axis=0).reshape(1, -1)
