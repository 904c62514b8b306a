"""Computes the slope and forgets to return it."""


@add_to(Sigmoid)
def prime(self, z):
    s = self(z)
    slope = s * (1 - s)
