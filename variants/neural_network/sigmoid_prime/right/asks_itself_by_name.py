"""Calls the object itself, and names the argument."""


@add_to(Sigmoid)
def prime(self, z):
    a = self(z=z)
    return a * (1 - a)
