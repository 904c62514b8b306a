"""Loops to `m - 1` and leaves the last column empty."""


def one_hot(Y, n_classes):
    m = Y.shape[1]
    encoded = np.zeros((n_classes, m))
    for i in range(m - 1):
        encoded[Y[0, i], i] = 1
    return encoded
