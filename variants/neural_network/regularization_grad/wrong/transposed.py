"""Transposes the gradients, as for weights kept the other way round."""


@add_to(Regularization)
def l1_grad(self, W1, W2, m):
    return {
        "dW1": self.lambda_1 / m * np.sign(W1.T),
        "dW2": self.lambda_1 / m * np.sign(W2.T),
    }


@add_to(Regularization)
def l2_grad(self, W1, W2, m):
    return {"dW1": self.lambda_2 / m * W1.T, "dW2": self.lambda_2 / m * W2.T}
