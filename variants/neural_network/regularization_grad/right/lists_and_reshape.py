"""List comprehensions over the flat weights, reshaped at the end."""


@add_to(Regularization)
def l1_grad(self, W1, W2, m):
    def slopes(W):
        flat = [self.lambda_1 / m * ((w > 0) * 1.0 - (w < 0) * 1.0) for w in W.ravel()]
        return np.array(flat).reshape(W.shape)

    return {"dW1": slopes(W1), "dW2": slopes(W2)}


@add_to(Regularization)
def l2_grad(self, W1, W2, m):
    def slopes(W):
        return np.array([self.lambda_2 / m * w for w in W.ravel()]).reshape(W.shape)

    return {"dW1": slopes(W1), "dW2": slopes(W2)}
