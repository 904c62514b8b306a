"""Returns one penalty per layer instead of their sum."""


@add_to(Regularization)
def l1(self, W1, W2, m):
    rate = self.lambda_1 / m
    return rate * np.sum(np.abs(W1)), rate * np.sum(np.abs(W2))


@add_to(Regularization)
def l2(self, W1, W2, m):
    rate = self.lambda_2 / (2 * m)
    return rate * np.sum(W1**2), rate * np.sum(W2**2)
