"""Prints the matrix and takes that for returning it."""


def one_hot(Y, n_classes):
    print(np.eye(n_classes)[Y.ravel()].T)
