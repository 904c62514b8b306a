"""`np.where` picks the probability given to what really happened, then one
logarithm."""


def compute_cost(A2, Y):
    p = np.where(Y == 1, A2, 1 - A2)
    return -np.log(np.maximum(p, 1e-10)).sum() / Y.shape[1]
