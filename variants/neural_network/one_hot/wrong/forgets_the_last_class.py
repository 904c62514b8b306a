"""Loops to `n_classes - 1` because "labels end at n_classes - 1"."""


def one_hot(Y, n_classes):
    encoded = np.zeros((n_classes, Y.shape[1]))
    for c in range(n_classes - 1):
        encoded[c, Y[0] == c] = 1
    return encoded
