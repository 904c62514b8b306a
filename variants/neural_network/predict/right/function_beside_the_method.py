"""A decoding function defined in the same cell."""


def decode(A):
    return np.asarray(A).argmax(axis=0).reshape(1, A.shape[1])


@add_to(NNClassifier)
def predict(self, X):
    cache = self.model.forward_propagation(X)
    return decode(cache["A2"])
