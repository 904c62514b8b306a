"""Self-contained: 1/4 of the squared hyperbolic secant of z/2."""


@add_to(Sigmoid)
def prime(self, z):
    with np.errstate(over="ignore"):
        return 0.25 / np.cosh(np.asarray(z) / 2) ** 2
