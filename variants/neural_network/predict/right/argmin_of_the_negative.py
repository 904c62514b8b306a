"""argmin of the negated outputs."""


@add_to(NNClassifier)
def predict(self, X):
    A2 = self.model.forward_propagation(X)["A2"]
    return np.atleast_2d(np.argmin(-A2, axis=0))
