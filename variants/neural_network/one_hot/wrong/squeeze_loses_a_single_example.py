"""Squeezes the labels: a single example becomes 0-d and its column a 1-d vector."""


def one_hot(Y, n_classes):
    return np.eye(n_classes)[np.squeeze(Y)].T
