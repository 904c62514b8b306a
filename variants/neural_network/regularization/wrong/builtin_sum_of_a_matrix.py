"""Uses Python's `sum`, which adds the rows of a matrix and returns a vector."""


@add_to(Regularization)
def l1(self, W1, W2, m):
    return self.lambda_1 / m * (sum(abs(W1.T)) + sum(abs(W2)))


@add_to(Regularization)
def l2(self, W1, W2, m):
    return self.lambda_2 / (2 * m) * (sum(W1.T**2) + sum(W2**2))
