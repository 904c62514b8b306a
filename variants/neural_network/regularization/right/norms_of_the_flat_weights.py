"""`np.linalg.norm` on flattened weights, where its 1-norm is the entrywise one."""


@add_to(Regularization)
def l1(self, W1, W2, m):
    norms = np.linalg.norm(W1.ravel(), 1) + np.linalg.norm(W2.ravel(), 1)
    return self.lambda_1 / m * norms


@add_to(Regularization)
def l2(self, W1, W2, m):
    norms = np.linalg.norm(W1.ravel()) ** 2 + np.linalg.norm(W2.ravel()) ** 2
    return self.lambda_2 / (2 * m) * norms
