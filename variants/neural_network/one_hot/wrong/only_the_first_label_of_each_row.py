"""Sizes the array by `Y.shape[0]`: one column, whatever the number of examples."""


def one_hot(Y, n_classes):
    m = Y.shape[0]
    encoded = np.zeros((n_classes, m))
    encoded[Y[0, :m], np.arange(m)] = 1
    return encoded
