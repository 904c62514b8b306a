"""Returns the label of the first column only."""


@add_to(NNClassifier)
def predict(self, X):
    A2 = self.model.forward_propagation(X)["A2"]
    return np.array([[np.argmax(A2[:, 0])]])
