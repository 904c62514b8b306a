"""Keeps the dimensions, so the one float comes in a (1, 1) array."""


def compute_cost(A2, Y):
    A = np.clip(A2, 1e-7, 1 - 1e-7)
    losses = Y * np.log(A) + (1 - Y) * np.log(1 - A)
    return -np.sum(losses, keepdims=True) / Y.shape[1]
