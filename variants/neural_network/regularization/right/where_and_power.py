"""`np.where` for the absolute value, `np.power` for the square."""


@add_to(Regularization)
def l1(self, W1, W2, m):
    size_1 = np.sum(np.where(W1 < 0, -W1, W1))
    size_2 = np.sum(np.where(W2 < 0, -W2, W2))
    return float(self.lambda_1 / m * (size_1 + size_2))


@add_to(Regularization)
def l2(self, W1, W2, m):
    size_1 = np.sum(np.power(W1, 2))
    size_2 = np.sum(np.power(W2, 2))
    return float(self.lambda_2 / (2 * m) * (size_1 + size_2))
