"""Returns gradients where the value of the penalty is asked for."""


@add_to(Regularization)
def l1(self, W1, W2, m):
    return {
        "dW1": self.lambda_1 / m * np.sign(W1),
        "dW2": self.lambda_1 / m * np.sign(W2),
    }


@add_to(Regularization)
def l2(self, W1, W2, m):
    return {"dW1": self.lambda_2 / m * W1, "dW2": self.lambda_2 / m * W2}
