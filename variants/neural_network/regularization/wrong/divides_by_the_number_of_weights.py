"""Divides by the number of weights instead of the number of examples."""


@add_to(Regularization)
def l1(self, W1, W2, m):
    n = W1.size + W2.size
    return self.lambda_1 / n * (np.sum(np.abs(W1)) + np.sum(np.abs(W2)))


@add_to(Regularization)
def l2(self, W1, W2, m):
    return self.lambda_2 / (2 * m) * (np.sum(W1**2) + np.sum(W2**2))
