"""Calls `sigmoid(z)`, which is a method here and not a function."""


@add_to(Sigmoid)
def prime(self, z):
    return sigmoid(z) * (1 - sigmoid(z))
