"""Squares in place with `W1 *= W1` and so changes the network's weights."""


@add_to(Regularization)
def l1(self, W1, W2, m):
    return self.lambda_1 / m * (np.sum(np.abs(W1)) + np.sum(np.abs(W2)))


@add_to(Regularization)
def l2(self, W1, W2, m):
    W1 *= W1
    W2 *= W2
    return self.lambda_2 / (2 * m) * (np.sum(W1) + np.sum(W2))
