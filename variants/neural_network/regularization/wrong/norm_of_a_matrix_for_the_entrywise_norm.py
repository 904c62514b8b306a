"""Takes `np.linalg.norm(W, 1)`, the operator norm of a matrix, for the entrywise
one."""


@add_to(Regularization)
def l1(self, W1, W2, m):
    norms = np.linalg.norm(W1, 1) + np.linalg.norm(W2, 1)
    return self.lambda_1 / m * norms


@add_to(Regularization)
def l2(self, W1, W2, m):
    return self.lambda_2 / (2 * m) * (np.sum(W1**2) + np.sum(W2**2))
