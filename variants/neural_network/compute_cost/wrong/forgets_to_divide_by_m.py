"""Adds everything and forgets to divide by the number of examples."""


def compute_cost(A2, Y):
    A = np.clip(A2, 1e-7, 1 - 1e-7)
    return -np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A))
