"""Multiplies the two factors with `np.einsum`."""


@add_to(Sigmoid)
def prime(self, z):
    s = np.asarray(self(z))
    return np.einsum("...,...->...", s, 1 - s)
