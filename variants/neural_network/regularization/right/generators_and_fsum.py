"""`math.fsum` over generator expressions."""

from math import fsum


@add_to(Regularization)
def l1(self, W1, W2, m):
    weights = W1.ravel().tolist() + W2.ravel().tolist()
    return self.lambda_1 / m * fsum(abs(w) for w in weights)


@add_to(Regularization)
def l2(self, W1, W2, m):
    weights = W1.ravel().tolist() + W2.ravel().tolist()
    return self.lambda_2 / m / 2 * fsum(w * w for w in weights)
