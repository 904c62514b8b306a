"""Takes the ranks of the first class for labels."""


@add_to(NNClassifier)
def predict(self, X):
    A2 = self.model.forward_propagation(X)["A2"]
    return np.argsort(np.argsort(A2, axis=0), axis=0)[:1]
