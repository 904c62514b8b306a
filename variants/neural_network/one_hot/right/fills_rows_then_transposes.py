"""Makes one row per example, broadcasting the (1, m) labels, and transposes last."""


def one_hot(Y, n_classes):
    encoded = np.zeros((Y.shape[1], n_classes))
    encoded[np.arange(Y.shape[1]), Y] = 1
    return encoded.T
