"""Adds up the numbers of all rows above 0.5."""


@add_to(NNClassifier)
def predict(self, X):
    A2 = self.model.forward_propagation(X)["A2"]
    return np.arange(A2.shape[0]).reshape(1, -1) @ (A2 > 0.5)
