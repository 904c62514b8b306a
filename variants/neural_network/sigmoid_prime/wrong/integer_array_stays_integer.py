"""Builds the result with `np.empty_like(z)`: for integers all slopes are cut down
to 0."""


@add_to(Sigmoid)
def prime(self, z):
    slope = np.empty_like(z)
    slope[...] = self(z) * (1 - self(z))
    return slope
