"""`np.piecewise` with one function for each sign."""


@add_to(Sigmoid)
def __call__(self, z):
    z = np.asarray(z, dtype=float)
    return np.piecewise(
        z,
        [z < 0, z >= 0],
        [lambda x: np.exp(x) / (1 + np.exp(x)), lambda x: 1 / (1 + np.exp(-x))],
    )
