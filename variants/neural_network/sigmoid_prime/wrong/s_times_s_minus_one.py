"""Turns the factor around: s (s - 1) has the wrong sign."""


@add_to(Sigmoid)
def prime(self, z):
    s = self(z)
    return s * (s - 1)
