"""Forgets the number of examples."""


@add_to(Regularization)
def l1(self, W1, W2, m):
    return self.lambda_1 * (np.sum(np.abs(W1)) + np.sum(np.abs(W2)))


@add_to(Regularization)
def l2(self, W1, W2, m):
    return self.lambda_2 / 2 * (np.sum(W1**2) + np.sum(W2**2))
