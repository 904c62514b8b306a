"""Takes the absolute value of the sum, so that weights of both signs cancel."""


@add_to(Regularization)
def l1(self, W1, W2, m):
    return self.lambda_1 / m * (np.abs(np.sum(W1)) + np.abs(np.sum(W2)))


@add_to(Regularization)
def l2(self, W1, W2, m):
    return self.lambda_2 / (2 * m) * (np.sum(W1**2) + np.sum(W2**2))
