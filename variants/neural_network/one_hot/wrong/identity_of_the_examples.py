"""Takes an identity matrix of the number of examples instead of the classes."""


def one_hot(Y, n_classes):
    m = Y.shape[1]
    return np.eye(m)[Y.ravel()].T
