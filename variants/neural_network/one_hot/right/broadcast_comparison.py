"""Compares a column of classes with the row of labels, then turns bool into
numbers."""


def one_hot(Y, n_classes):
    return (np.arange(n_classes).reshape(-1, 1) == Y).astype(np.int8)
