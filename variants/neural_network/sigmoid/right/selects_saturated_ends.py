"""`np.select` gives 0 and 1 at the ends and the formula between them."""


@add_to(Sigmoid)
def __call__(self, z):
    z = np.asarray(z, dtype=float)
    middle = 1 / (1 + np.exp(-np.where(np.abs(z) > 700, 0, z)))
    return np.select([z < -700, z > 700], [0.0, 1.0], default=middle)
