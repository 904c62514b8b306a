"""Picks rows of the identity matrix and transposes."""


def one_hot(Y, n_classes):
    return np.eye(n_classes)[Y.ravel()].T
