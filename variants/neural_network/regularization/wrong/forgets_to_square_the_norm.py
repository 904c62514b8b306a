"""Takes the Frobenius norm itself and forgets to square it."""


@add_to(Regularization)
def l1(self, W1, W2, m):
    return self.lambda_1 / m * (np.sum(np.abs(W1)) + np.sum(np.abs(W2)))


@add_to(Regularization)
def l2(self, W1, W2, m):
    norms = np.linalg.norm(W1) + np.linalg.norm(W2)
    return self.lambda_2 / (2 * m) * norms
