"""np.apply_along_axis with argmax as the function."""


@add_to(NNClassifier)
def predict(self, X):
    A2 = self.model.forward_propagation(X)["A2"]
    return np.apply_along_axis(np.argmax, 0, A2).reshape(1, -1)
