"""Counts a weight of exactly 0 as negative: twice the comparison minus one."""


@add_to(Regularization)
def l1_grad(self, W1, W2, m):
    dW1 = (2 * (W1 > 0) - 1) * self.lambda_1 / m
    dW2 = (2 * (W2 > 0) - 1) * self.lambda_1 / m
    return dict(zip(("dW1", "dW2"), (dW1, dW2)))


@add_to(Regularization)
def l2_grad(self, W1, W2, m):
    grads = {}
    grads.update(dW1=W1 * self.lambda_2 / m, dW2=W2 * self.lambda_2 / m)
    return grads
