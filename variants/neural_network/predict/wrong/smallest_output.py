"""Takes argmin, as if the outputs were distances."""


@add_to(NNClassifier)
def predict(self, X):
    A2 = self.model.forward_propagation(X)["A2"]
    return np.argmin(A2, axis=0).reshape(1, -1)
