"""Uses 1 - sigma(z) = sigma(-z)."""


@add_to(Sigmoid)
def prime(self, z):
    z = np.asarray(z)
    return self(z) * self(-z)
