"""Single precision for both gradients."""


@add_to(Regularization)
def l1_grad(self, W1, W2, m):
    rate = np.float32(self.lambda_1 / m)
    return {
        "dW1": rate * np.sign(np.float32(W1)),
        "dW2": rate * np.sign(np.float32(W2)),
    }


@add_to(Regularization)
def l2_grad(self, W1, W2, m):
    rate = np.float32(self.lambda_2 / m)
    return {"dW1": rate * np.float32(W1), "dW2": rate * np.float32(W2)}
