"""Copies the first line and forgets to turn W1 into W2."""


@add_to(Regularization)
def l1_grad(self, W1, W2, m):
    return {
        "dW1": self.lambda_1 / m * np.sign(W1),
        "dW2": self.lambda_1 / m * np.sign(W1),
    }


@add_to(Regularization)
def l2_grad(self, W1, W2, m):
    return {"dW1": self.lambda_2 / m * W1, "dW2": self.lambda_2 / m * W1}
