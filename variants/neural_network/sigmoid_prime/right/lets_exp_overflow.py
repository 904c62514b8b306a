"""Self-contained textbook formula; `exp` overflows with a warning, and 1/inf is
0."""


@add_to(Sigmoid)
def prime(self, z):
    s = 1 / (1 + np.exp(-z))
    return s * (1 - s)
