"""Hands the examples over as rows."""


@add_to(NNClassifier)
def predict(self, X):
    A2 = self.model.forward_propagation(X.T)["A2"]
    return np.argmax(A2, axis=0).reshape(1, -1)
