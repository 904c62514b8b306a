"""Turns the comparison into numbers by adding 0."""


def one_hot(Y, n_classes):
    return np.equal.outer(np.arange(n_classes), Y[0]) + 0
