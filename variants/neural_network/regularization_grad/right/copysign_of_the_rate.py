"""`np.copysign` gives the rate the sign of each weight."""


@add_to(Regularization)
def l1_grad(self, W1, W2, m):
    rate = self.lambda_1 / m
    return {"dW1": np.copysign(rate, W1), "dW2": np.copysign(rate, W2)}


@add_to(Regularization)
def l2_grad(self, W1, W2, m):
    rate = self.lambda_2 / m
    return {"dW1": np.multiply(rate, W1), "dW2": np.multiply(rate, W2)}
