"""Uses `z *= -1` to save a line and so changes the caller's array."""


@add_to(Sigmoid)
def __call__(self, z):
    z *= -1
    return 1 / (1 + np.exp(z))
