"""Forgets the first factor and returns 1 - s."""


@add_to(Sigmoid)
def prime(self, z):
    return 1 - self(z)
