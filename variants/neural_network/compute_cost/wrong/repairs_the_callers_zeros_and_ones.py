"""Overwrites exact zeros and ones in the caller's array; the cost itself is
right."""


def compute_cost(A2, Y):
    A2[A2 == 0] = 1e-7
    A2[A2 == 1] = 1 - 1e-7
    return -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / Y.shape[1]
