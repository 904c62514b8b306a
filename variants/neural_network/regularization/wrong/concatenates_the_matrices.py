"""Joins matrices of different shapes with `np.concatenate`, which works in 1-d
only."""


@add_to(Regularization)
def l1(self, W1, W2, m):
    return self.lambda_1 / m * np.abs(np.concatenate([W1, W2])).sum()


@add_to(Regularization)
def l2(self, W1, W2, m):
    return self.lambda_2 / (2 * m) * (np.concatenate([W1, W2]) ** 2).sum()
