"""Writes `~Y` for "not Y": right for booleans, but ~1 is -2 for integers."""


def compute_cost(A2, Y):
    Y = Y.astype(int)
    A = np.clip(A2, 1e-7, 1 - 1e-7)
    return -np.sum(Y * np.log(A) + ~Y * np.log(1 - A)) / Y.shape[1]
