"""Builds nested lists of Python integers first."""


def one_hot(Y, n_classes):
    labels = Y[0].tolist()
    return np.array([[int(y == c) for y in labels] for c in range(n_classes)])
