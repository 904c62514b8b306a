"""Takes `len(Y)` for the number of examples, which is 1 for a row vector."""


def one_hot(Y, n_classes):
    encoded = np.zeros((n_classes, Y.shape[1]))
    for i in range(len(Y)):
        encoded[Y[0, i], i] = 1
    return encoded
