"""Gets the absolute value as the root of the square."""


@add_to(Regularization)
def l1(self, W1, W2, m):
    return self.lambda_1 / m * (np.sqrt(W1**2).sum() + np.sqrt(W2**2).sum())


@add_to(Regularization)
def l2(self, W1, W2, m):
    return self.lambda_2 / m * 0.5 * (sum(W1.ravel() ** 2) + sum(W2.ravel() ** 2))
