"""A nested function gives the penalty of one matrix; the two are added."""


@add_to(Regularization)
def l1(self, W1, W2, m):
    def penalty(W):
        return self.lambda_1 * np.sum(np.absolute(W)) / m

    return penalty(W1) + penalty(W2)


@add_to(Regularization)
def l2(self, W1, W2, m):
    def penalty(W):
        return self.lambda_2 * np.sum(np.square(W)) / (2 * m)

    return penalty(W1) + penalty(W2)
