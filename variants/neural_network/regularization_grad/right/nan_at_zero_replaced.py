"""Divides by the absolute value, with a warning at 0, and replaces the nan."""


@add_to(Regularization)
def l1_grad(self, W1, W2, m):
    sign1 = np.nan_to_num(W1 / np.abs(W1))
    sign2 = np.nan_to_num(W2 / np.abs(W2))
    return {"dW1": self.lambda_1 / m * sign1, "dW2": self.lambda_1 / m * sign2}


@add_to(Regularization)
def l2_grad(self, W1, W2, m):
    return {"dW1": self.lambda_2 * W1 / m, "dW2": self.lambda_2 * W2 / m}
