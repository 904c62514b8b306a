"""Uses matrix products and keeps only their traces."""


def compute_cost(A2, Y):
    A = np.clip(A2, 1e-7, 1 - 1e-7)
    both = Y @ np.log(A).T + (1 - Y) @ np.log(1 - A).T
    return -np.trace(both) / Y.shape[1]
