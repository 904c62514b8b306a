"""Takes the largest input instead of the largest output."""


@add_to(NNClassifier)
def predict(self, X):
    return np.argmax(X, axis=0).reshape(1, -1)
