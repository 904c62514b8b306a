"""Logarithms of base 2, changed to natural ones at the end."""


def compute_cost(A2, Y):
    A = np.clip(A2, 1e-7, 1 - 1e-7)
    bits = -np.sum(Y * np.log2(A)) - np.sum((1 - Y) * np.log2(1 - A))
    return bits * np.log(2) / A2.shape[1]
