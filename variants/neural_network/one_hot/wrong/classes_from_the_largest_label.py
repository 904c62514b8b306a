"""Takes the largest label plus one for the number of classes."""


def one_hot(Y, n_classes):
    n_classes = int(Y.max()) + 1
    return np.eye(n_classes)[Y.ravel()].T
