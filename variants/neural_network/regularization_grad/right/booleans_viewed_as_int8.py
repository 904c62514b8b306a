"""Looks at the bytes of a comparison as small integers and turns 0 into -1."""


@add_to(Regularization)
def l1_grad(self, W1, W2, m):
    signs = []
    for W in (W1, W2):
        sign = (W > 0).view(np.int8)
        sign[sign < 1] = -1
        signs.append(self.lambda_1 / m * sign)
    return {"dW1": signs[0], "dW2": signs[1]}


@add_to(Regularization)
def l2_grad(self, W1, W2, m):
    return {"dW1": (self.lambda_2 / m) * W1, "dW2": (self.lambda_2 / m) * W2}
