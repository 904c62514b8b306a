"""Counts a weight of exactly 0 as positive, which is a valid subgradient."""


@add_to(Regularization)
def l1_grad(self, W1, W2, m):
    return {
        "dW1": self.lambda_1 / m * np.where(W1 >= 0, 1, -1),
        "dW2": self.lambda_1 / m * np.where(W2 >= 0, 1, -1),
    }


@add_to(Regularization)
def l2_grad(self, W1, W2, m):
    return {
        "dW1": np.divide(self.lambda_2 * W1, m),
        "dW2": np.divide(self.lambda_2 * W2, m),
    }
