"""Takes the comparison W > 0 for the sign, so negative weights get no gradient."""


@add_to(Regularization)
def l1_grad(self, W1, W2, m):
    return {"dW1": self.lambda_1 / m * (W1 > 0), "dW2": self.lambda_1 / m * (W2 > 0)}


@add_to(Regularization)
def l2_grad(self, W1, W2, m):
    return {"dW1": self.lambda_2 / m * W1, "dW2": self.lambda_2 / m * W2}
