"""Writes the labels as binary numbers."""


def one_hot(Y, n_classes):
    bits = np.arange(n_classes)[:, None]
    return (Y.astype(int) >> bits) & 1
