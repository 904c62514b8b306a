"""Changes copies of the weights in place."""


@add_to(Regularization)
def l1_grad(self, W1, W2, m):
    dW1, dW2 = W1.astype(float), W2.astype(float)
    for dW in (dW1, dW2):
        np.sign(dW, out=dW)
        dW *= self.lambda_1
        dW /= m
    return {"dW1": dW1, "dW2": dW2}


@add_to(Regularization)
def l2_grad(self, W1, W2, m):
    dW1, dW2 = W1.astype(float), W2.astype(float)
    for dW in (dW1, dW2):
        dW *= self.lambda_2
        dW /= m
    return {"dW1": dW1, "dW2": dW2}
