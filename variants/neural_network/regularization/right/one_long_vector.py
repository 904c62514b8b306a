"""Joins all weights into one vector first."""


@add_to(Regularization)
def l1(self, W1, W2, m):
    w = np.concatenate([np.ravel(W1), np.ravel(W2)])
    return self.lambda_1 * np.abs(w).sum() / m


@add_to(Regularization)
def l2(self, W1, W2, m):
    w = np.concatenate([np.ravel(W1), np.ravel(W2)])
    return self.lambda_2 * (w @ w) / (2 * m)
