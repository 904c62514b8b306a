"""A plain loop, one example after the other."""


def one_hot(Y, n_classes):
    n_examples = Y.shape[1]
    encoded = np.zeros((n_classes, n_examples), dtype=int)
    for i in range(n_examples):
        encoded[Y[0, i], i] = 1
    return encoded
