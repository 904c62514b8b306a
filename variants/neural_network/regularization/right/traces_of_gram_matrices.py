"""The sum of squares as the trace of W Wᵀ, with 1-d weights taken as one row."""


@add_to(Regularization)
def l1(self, W1, W2, m):
    ones = [np.ones(W.size) for W in (W1, W2)]
    total = abs(W1).ravel() @ ones[0] + abs(W2).ravel() @ ones[1]
    return self.lambda_1 / m * total


@add_to(Regularization)
def l2(self, W1, W2, m):
    rows = [np.atleast_2d(W) for W in (W1, W2)]
    total = sum(np.trace(W @ W.T) for W in rows)
    return self.lambda_2 / (2 * m) * total
