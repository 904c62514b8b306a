"""Unpacks the cache like a tuple, which gives its keys."""


@add_to(NNClassifier)
def predict(self, X):
    Z1, A1, Z2, A2 = self.model.forward_propagation(X)
    return np.argmax(A2, axis=0).reshape(1, -1)
