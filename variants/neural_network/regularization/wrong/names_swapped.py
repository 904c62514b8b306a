"""Puts the L2 penalty into `l1` and the L1 penalty into `l2`."""


@add_to(Regularization)
def l1(self, W1, W2, m):
    return self.lambda_1 / (2 * m) * (np.sum(W1**2) + np.sum(W2**2))


@add_to(Regularization)
def l2(self, W1, W2, m):
    return self.lambda_2 / m * (np.sum(np.abs(W1)) + np.sum(np.abs(W2)))
