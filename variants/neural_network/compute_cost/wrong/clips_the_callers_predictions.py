"""Clips in place with `out=A2` and changes the caller's predictions."""


def compute_cost(A2, Y):
    np.clip(A2, 1e-3, 1 - 1e-3, out=A2)
    return -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / Y.shape[1]
