"""Returns the largest output instead of its row."""


@add_to(NNClassifier)
def predict(self, X):
    A2 = self.model.forward_propagation(X)["A2"]
    return np.max(A2, axis=0, keepdims=True)
