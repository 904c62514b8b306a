"""Knows that there are ten digits and ignores `n_classes`."""


def one_hot(Y, n_classes):
    encoded = np.zeros((10, Y.shape[1]))
    encoded[Y[0], np.arange(Y.shape[1])] = 1
    return encoded
