"""Notices that the wrong share is |y - a| and needs one logarithm only."""


def compute_cost(A2, Y):
    wrong = np.abs(Y.astype(float) - A2)
    return -np.log(np.maximum(1 - wrong, 1e-9)).sum() / A2.shape[1]
