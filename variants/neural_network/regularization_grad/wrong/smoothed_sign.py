"""Replaces the sign by a smooth tanh, which is too small for small weights."""


@add_to(Regularization)
def l1_grad(self, W1, W2, m):
    return {
        "dW1": self.lambda_1 / m * np.tanh(10 * W1),
        "dW2": self.lambda_1 / m * np.tanh(10 * W2),
    }


@add_to(Regularization)
def l2_grad(self, W1, W2, m):
    return {"dW1": self.lambda_2 / m * W1, "dW2": self.lambda_2 / m * W2}
