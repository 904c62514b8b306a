"""Takes the first row above 0.5, and 0 when there is none."""


@add_to(NNClassifier)
def predict(self, X):
    A2 = self.model.forward_propagation(X)["A2"]
    return np.argmax(A2 > 0.5, axis=0).reshape(1, -1)
