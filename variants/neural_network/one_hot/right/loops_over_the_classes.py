"""One row per class, each a comparison."""


def one_hot(Y, n_classes):
    encoded = np.zeros((n_classes, Y.shape[1]))
    for c in range(n_classes):
        encoded[c] = Y[0] == c
    return encoded
