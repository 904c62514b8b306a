"""Returns a tuple instead of a dictionary."""


@add_to(Regularization)
def l1_grad(self, W1, W2, m):
    rate = self.lambda_1 / m
    return rate * np.sign(W1), rate * np.sign(W2)


@add_to(Regularization)
def l2_grad(self, W1, W2, m):
    rate = self.lambda_2 / m
    return rate * W1, rate * W2
