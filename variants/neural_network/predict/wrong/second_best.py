"""Takes the last but one of the sorted rows."""


@add_to(NNClassifier)
def predict(self, X):
    A2 = self.model.forward_propagation(X)["A2"]
    return np.argsort(A2, axis=0)[-2:-1]
