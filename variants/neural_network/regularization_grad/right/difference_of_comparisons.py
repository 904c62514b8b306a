"""The sign as (W > 0) minus (W < 0), in numbers."""


@add_to(Regularization)
def l1_grad(self, W1, W2, m):
    s1 = (W1 > 0).astype(float) - (W1 < 0).astype(float)
    s2 = (W2 > 0).astype(float) - (W2 < 0).astype(float)
    return {"dW2": s2 * (self.lambda_1 / m), "dW1": s1 * (self.lambda_1 / m)}


@add_to(Regularization)
def l2_grad(self, W1, W2, m):
    return {"dW2": W2 * (self.lambda_2 / m), "dW1": W1 * (self.lambda_2 / m)}
