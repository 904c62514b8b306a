"""Zeros, and a one in the row of each label: what most students write."""


def one_hot(Y, n_classes):
    encoded = np.zeros((n_classes, Y.shape[1]))
    encoded[Y[0].astype(int), np.arange(Y.shape[1])] = 1
    return encoded
