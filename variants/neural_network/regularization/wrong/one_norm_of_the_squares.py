"""Takes `norm(W**2, ord=1)` for the sum of squares: for a matrix it is one
column's."""


@add_to(Regularization)
def l1(self, W1, W2, m):
    return self.lambda_1 / m * (np.sum(np.abs(W1)) + np.sum(np.abs(W2)))


@add_to(Regularization)
def l2(self, W1, W2, m):
    squares = np.linalg.norm(W1**2, ord=1) + np.linalg.norm(W2**2, ord=1)
    return self.lambda_2 / (2 * m) * squares
