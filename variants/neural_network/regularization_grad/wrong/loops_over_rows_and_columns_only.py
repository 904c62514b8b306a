"""Loops over rows and columns, so 1-d weights fail."""


@add_to(Regularization)
def l1_grad(self, W1, W2, m):
    grads = {"dW1": np.zeros(W1.shape), "dW2": np.zeros(W2.shape)}
    for name, W in (("dW1", W1), ("dW2", W2)):
        for i in range(W.shape[0]):
            for j in range(W.shape[1]):
                grads[name][i, j] = self.lambda_1 / m * np.sign(W[i, j])
    return grads


@add_to(Regularization)
def l2_grad(self, W1, W2, m):
    return {"dW1": self.lambda_2 / m * W1, "dW2": self.lambda_2 / m * W2}
