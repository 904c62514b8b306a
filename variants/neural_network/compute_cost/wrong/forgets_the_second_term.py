"""Takes the cross-entropy of a softmax: only the term of the true class."""


def compute_cost(A2, Y):
    A = np.clip(A2, 1e-12, None)
    return -np.sum(Y * np.log(A)) / Y.shape[1]
