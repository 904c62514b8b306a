"""Stretches the weights far beyond 1 and clips: only the sign is left."""


@add_to(Regularization)
def l1_grad(self, W1, W2, m):
    dW1 = np.clip(W1.astype(float) * 1e200, -1, 1) * self.lambda_1 / m
    dW2 = np.clip(W2.astype(float) * 1e200, -1, 1) * self.lambda_1 / m
    return {"dW1": dW1, "dW2": dW2}


@add_to(Regularization)
def l2_grad(self, W1, W2, m):
    decay = self.lambda_2 / m
    return {"dW1": decay * W1, "dW2": decay * W2}
