"""The default norm of a matrix is Frobenius: squared, it is the sum of squares."""


@add_to(Regularization)
def l1(self, W1, W2, m):
    return (self.lambda_1 / m) * (np.abs(W1).sum() + np.abs(W2).sum())


@add_to(Regularization)
def l2(self, W1, W2, m):
    squares = np.square(np.linalg.norm(W1)) + np.square(np.linalg.norm(W2))
    return (self.lambda_2 / m) * squares / 2
