"""Sorts the labels in place "to go through the classes in order"."""


def one_hot(Y, n_classes):
    Y.sort()
    return (np.arange(n_classes)[:, None] == Y).astype(float)
