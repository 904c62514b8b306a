"""Makes every column add up to 1 first, as after a softmax."""


def compute_cost(A2, Y):
    A = np.clip(A2, 1e-7, 1 - 1e-7)
    A = A / A.sum(axis=0)
    A = np.clip(A, 1e-7, 1 - 1e-7)
    return -np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A)) / Y.shape[1]
