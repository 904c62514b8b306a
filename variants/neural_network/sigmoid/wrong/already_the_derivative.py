"""Writes the derivative, which belongs in `prime`."""


@add_to(Sigmoid)
def __call__(self, z):
    s = 0.5 * (1 + np.tanh(np.asarray(z) / 2))
    return s * (1 - s)
