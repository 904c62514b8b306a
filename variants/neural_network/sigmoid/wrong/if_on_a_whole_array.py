"""Asks `if z >= 0` of an array, as if it were one number."""


@add_to(Sigmoid)
def __call__(self, z):
    if z >= 0:
        return 1 / (1 + np.exp(-z))
    return np.exp(z) / (1 + np.exp(z))
