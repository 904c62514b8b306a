"""Plain loops with `np.ndindex`, for any number of dimensions."""


@add_to(Regularization)
def l1_grad(self, W1, W2, m):
    dW1, dW2 = np.zeros(W1.shape), np.zeros(W2.shape)
    for W, dW in ((W1, dW1), (W2, dW2)):
        for index in np.ndindex(W.shape):
            if W[index] != 0:
                dW[index] = self.lambda_1 / m if W[index] > 0 else -self.lambda_1 / m
    return {"dW1": dW1, "dW2": dW2}


@add_to(Regularization)
def l2_grad(self, W1, W2, m):
    dW1, dW2 = np.zeros(W1.shape), np.zeros(W2.shape)
    for W, dW in ((W1, dW1), (W2, dW2)):
        for index in np.ndindex(W.shape):
            dW[index] = self.lambda_2 * W[index] / m
    return {"dW1": dW1, "dW2": dW2}
