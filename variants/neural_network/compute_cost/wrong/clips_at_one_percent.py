"""Clips at 0.01: a perfect prediction costs 1 % per class."""


def compute_cost(A2, Y):
    A = np.clip(A2, 0.01, 0.99)
    return -np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A)) / Y.shape[1]
