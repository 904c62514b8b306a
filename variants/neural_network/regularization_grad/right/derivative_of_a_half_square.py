"""Keeps the factors of the derivation: 2 / (2m)."""


@add_to(Regularization)
def l1_grad(self, W1, W2, m):
    grads = dict.fromkeys(["dW1", "dW2"])
    grads["dW1"] = (1 / m) * (self.lambda_1 * np.sign(W1))
    grads["dW2"] = (1 / m) * (self.lambda_1 * np.sign(W2))
    return grads


@add_to(Regularization)
def l2_grad(self, W1, W2, m):
    factor = 2 * self.lambda_2 / (2 * m)
    return {"dW1": factor * W1, "dW2": factor * W2}
