"""One small helper, used by both methods with a different power."""


def sum_of_powers(W1, W2, p):
    return sum((np.abs(W) ** p).sum() for W in (W1, W2))


@add_to(Regularization)
def l1(self, W1, W2, m):
    return self.lambda_1 / m * sum_of_powers(W1, W2, 1)


@add_to(Regularization)
def l2(self, W1, W2, m):
    return self.lambda_2 / (2 * m) * sum_of_powers(W1, W2, 2)
