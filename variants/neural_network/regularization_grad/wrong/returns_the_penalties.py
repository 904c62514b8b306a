"""Returns the penalties instead of their gradients."""


@add_to(Regularization)
def l1_grad(self, W1, W2, m):
    return {
        "dW1": self.lambda_1 / m * np.sum(np.abs(W1)),
        "dW2": self.lambda_1 / m * np.sum(np.abs(W2)),
    }


@add_to(Regularization)
def l2_grad(self, W1, W2, m):
    return {
        "dW1": self.lambda_2 / (2 * m) * np.sum(W1**2),
        "dW2": self.lambda_2 / (2 * m) * np.sum(W2**2),
    }
