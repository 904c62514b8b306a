"""Takes means and multiplies by the number of weights."""


@add_to(Regularization)
def l1(self, W1, W2, m):
    total = W1.size * np.mean(np.abs(W1)) + W2.size * np.mean(np.abs(W2))
    return self.lambda_1 / m * total


@add_to(Regularization)
def l2(self, W1, W2, m):
    total = W1.size * np.mean(W1**2) + W2.size * np.mean(W2**2)
    return self.lambda_2 / (2 * m) * total
