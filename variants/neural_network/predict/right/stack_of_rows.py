"""np.vstack of the one-dimensional answer."""


@add_to(NNClassifier)
def predict(self, X):
    A2 = self.model.forward_propagation(X)["A2"]
    return np.vstack([np.argmax(A2, axis=0)]).astype(np.int16)
