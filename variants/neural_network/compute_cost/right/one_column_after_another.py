"""Iterates over the columns, one example at a time."""


def compute_cost(A2, Y):
    cost = 0
    for a, y in zip(A2.T, Y.T):
        a = np.clip(a, 1e-7, 1 - 1e-7)
        cost += -np.sum(y * np.log(a)) - np.sum((1 - y) * np.log(1 - a))
    return cost / len(Y.T)
