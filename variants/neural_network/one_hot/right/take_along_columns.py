"""`np.take` from the identity along its columns."""


def one_hot(Y, n_classes):
    return np.take(np.identity(n_classes), Y, axis=1)[:, 0, :]
