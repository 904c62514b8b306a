"""Takes the first row of argsort, which is the smallest."""


@add_to(NNClassifier)
def predict(self, X):
    A2 = self.model.forward_propagation(X)["A2"]
    return np.argsort(A2, axis=0)[:1]
