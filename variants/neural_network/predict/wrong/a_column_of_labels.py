"""Returns the labels as a column, shape (m, 1)."""


@add_to(NNClassifier)
def predict(self, X):
    A2 = self.model.forward_propagation(X)["A2"]
    return np.argmax(A2, axis=0).reshape(-1, 1)
