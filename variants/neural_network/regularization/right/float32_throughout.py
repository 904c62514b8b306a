"""Single precision for the weights and for the result."""


@add_to(Regularization)
def l1(self, W1, W2, m):
    total = np.abs(W1.astype("float32")).sum() + np.abs(W2.astype("float32")).sum()
    return np.float32(self.lambda_1) / np.float32(m) * total


@add_to(Regularization)
def l2(self, W1, W2, m):
    total = np.sum(W1.astype("float32") ** 2) + np.sum(W2.astype("float32") ** 2)
    return np.float32(self.lambda_2) / np.float32(2 * m) * total
