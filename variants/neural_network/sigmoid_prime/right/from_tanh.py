"""Self-contained: a quarter of the derivative of tanh at z/2."""


@add_to(Sigmoid)
def prime(self, z):
    return (1 - np.tanh(np.asarray(z) / 2) ** 2) / 4
