"""Plain loops over the flat weights, in Python floats."""


@add_to(Regularization)
def l1(self, W1, W2, m):
    total = 0.0
    for W in (W1, W2):
        for w in W.flat:
            total += abs(float(w))
    return self.lambda_1 * total / m


@add_to(Regularization)
def l2(self, W1, W2, m):
    total = 0.0
    for W in (W1, W2):
        for w in W.flat:
            total += float(w) ** 2
    return self.lambda_2 * total / (2 * m)
