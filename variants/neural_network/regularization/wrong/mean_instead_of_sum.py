"""Takes means over the weights instead of sums."""


@add_to(Regularization)
def l1(self, W1, W2, m):
    return self.lambda_1 / m * (np.mean(np.abs(W1)) + np.mean(np.abs(W2)))


@add_to(Regularization)
def l2(self, W1, W2, m):
    return self.lambda_2 / (2 * m) * (np.mean(W1**2) + np.mean(W2**2))
