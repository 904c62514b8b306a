"""Works in place, on copies of the weights."""


@add_to(Regularization)
def l1(self, W1, W2, m):
    a, b = np.array(W1, dtype=float), np.array(W2, dtype=float)
    a[a < 0] *= -1
    b[b < 0] *= -1
    return (a.sum() + b.sum()) * self.lambda_1 / m


@add_to(Regularization)
def l2(self, W1, W2, m):
    a, b = np.array(W1, dtype=float), np.array(W2, dtype=float)
    a *= a
    b *= b
    return (a.sum() + b.sum()) * self.lambda_2 / (m + m)
