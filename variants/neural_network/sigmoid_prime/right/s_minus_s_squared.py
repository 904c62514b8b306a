"""Multiplies the formula out."""


@add_to(Sigmoid)
def prime(self, z):
    s = self.__call__(z)
    return s - s**2
