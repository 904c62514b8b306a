"""Adds over the examples only and returns a vector with a cost for each class."""


def compute_cost(A2, Y):
    A = np.clip(A2, 1e-7, 1 - 1e-7)
    losses = Y * np.log(A) + (1 - Y) * np.log(1 - A)
    return -np.sum(losses, axis=1) / Y.shape[1]
