"""Writes the label itself at its place instead of a one."""


def one_hot(Y, n_classes):
    encoded = np.zeros((n_classes, Y.shape[1]))
    for i, label in enumerate(Y[0]):
        encoded[label, i] = label
    return encoded
