"""Fills positive and negative weights through masks into fresh float arrays."""


@add_to(Regularization)
def l1_grad(self, W1, W2, m):
    grads = {}
    for name, W in (("dW1", W1), ("dW2", W2)):
        grads[name] = np.zeros(W.shape)
        grads[name][W > 0] = self.lambda_1 / m
        grads[name][W < 0] = -self.lambda_1 / m
    return grads


@add_to(Regularization)
def l2_grad(self, W1, W2, m):
    grads = {"dW1": np.zeros(W1.shape), "dW2": np.zeros(W2.shape)}
    grads["dW1"] += self.lambda_2 / m * W1
    grads["dW2"] += self.lambda_2 / m * W2
    return grads
