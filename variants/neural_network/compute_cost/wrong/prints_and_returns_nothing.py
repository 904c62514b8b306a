"""Prints the cost and takes that for returning it."""


def compute_cost(A2, Y):
    A = np.clip(A2, 1e-7, 1 - 1e-7)
    cost = -np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A)) / Y.shape[1]
    print("cost:", cost)
