"""Takes the squared error, the cost of a regression."""


def compute_cost(A2, Y):
    return np.sum((A2 - Y) ** 2) / Y.shape[1]
