"""Evaluates the derivative at the activation instead of the pre-activation."""


@add_to(Sigmoid)
def prime(self, z):
    a = self(z)
    return self(a) * (1 - self(a))
