"""Multiplies every single weight by lambda and adds last."""


@add_to(Regularization)
def l1(self, W1, W2, m):
    rate = self.lambda_1 / m
    return np.sum(rate * np.abs(W1)) + np.sum(rate * np.abs(W2))


@add_to(Regularization)
def l2(self, W1, W2, m):
    rate = self.lambda_2 / m / 2
    return np.sum(rate * W1**2) + np.sum(rate * W2**2)
