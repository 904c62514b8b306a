"""Differentiates numerically with a one-sided step of 0.01."""


@add_to(Sigmoid)
def prime(self, z):
    h = 0.01
    return (self(z + h) - self(z)) / h
