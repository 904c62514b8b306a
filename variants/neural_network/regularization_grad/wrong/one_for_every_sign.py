"""Differentiates |W| to 1, also where the weight is negative."""


@add_to(Regularization)
def l1_grad(self, W1, W2, m):
    return {
        "dW1": self.lambda_1 / m * np.ones(W1.shape),
        "dW2": self.lambda_1 / m * np.ones(W2.shape),
    }


@add_to(Regularization)
def l2_grad(self, W1, W2, m):
    return {"dW1": self.lambda_2 / m * W1, "dW2": self.lambda_2 / m * W2}
