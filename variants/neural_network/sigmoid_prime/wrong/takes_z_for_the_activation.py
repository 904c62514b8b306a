"""Writes `z * (1 - z)`: the formula for an argument that is already the
activation."""


@add_to(Sigmoid)
def prime(self, z):
    return z * (1 - z)
