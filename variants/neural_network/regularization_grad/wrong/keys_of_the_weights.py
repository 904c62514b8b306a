"""Names the entries W1 and W2 instead of dW1 and dW2."""


@add_to(Regularization)
def l1_grad(self, W1, W2, m):
    return {
        "W1": self.lambda_1 / m * np.sign(W1),
        "W2": self.lambda_1 / m * np.sign(W2),
    }


@add_to(Regularization)
def l2_grad(self, W1, W2, m):
    return {"W1": self.lambda_2 / m * W1, "W2": self.lambda_2 / m * W2}
