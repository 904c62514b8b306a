"""Picks columns of the identity matrix, so that nothing needs to be transposed."""


def one_hot(Y, n_classes):
    return np.eye(n_classes, dtype=np.float32)[:, np.asarray(Y)[0]]
