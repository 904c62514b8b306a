"""The absolute sum as the positive weights minus the negative ones."""


@add_to(Regularization)
def l1(self, W1, W2, m):
    total = W1[W1 > 0].sum() - W1[W1 < 0].sum()
    total += W2[W2 > 0].sum() - W2[W2 < 0].sum()
    return self.lambda_1 * total / m


@add_to(Regularization)
def l2(self, W1, W2, m):
    return self.lambda_2 * ((W1 * W1).sum() + (W2 * W2).sum()) / m / 2
