"""Squares the wrong factor: s (1 - s)**2."""


@add_to(Sigmoid)
def prime(self, z):
    s = self(z)
    return s * (1 - s) ** 2
