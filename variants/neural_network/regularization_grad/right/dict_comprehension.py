"""A dict comprehension over names and weights."""


@add_to(Regularization)
def l1_grad(self, W1, W2, m):
    pairs = zip(["dW1", "dW2"], [W1, W2])
    return {name: np.sign(W) * self.lambda_1 / m for name, W in pairs}


@add_to(Regularization)
def l2_grad(self, W1, W2, m):
    pairs = zip(["dW1", "dW2"], [W1, W2])
    return {name: W * self.lambda_2 / m for name, W in pairs}
