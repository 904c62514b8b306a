"""Codes the other classes as -1, as for a perceptron."""


def one_hot(Y, n_classes):
    return np.where(np.arange(n_classes)[:, None] == Y, 1.0, -1.0)
