"""Differentiates by the quotient rule: exp(-z) / (1 + exp(-z))**2 is inf/inf at
-1000."""


@add_to(Sigmoid)
def prime(self, z):
    return np.exp(-z) / (1 + np.exp(-z)) ** 2
