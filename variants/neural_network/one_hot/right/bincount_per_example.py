"""Counts each label on its own with `np.bincount`."""


def one_hot(Y, n_classes):
    return np.array([np.bincount([y], minlength=n_classes) for y in Y.flat]).T
