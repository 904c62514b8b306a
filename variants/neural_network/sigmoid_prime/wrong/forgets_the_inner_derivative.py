"""Differentiates 1/u to -1/u**2 and forgets the inner derivative -exp(-z)."""


@add_to(Sigmoid)
def prime(self, z):
    return -(self(z) ** 2)
