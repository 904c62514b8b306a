"""`np.atleast_1d` "so that it always works": a number comes back with shape (1,)."""


@add_to(Sigmoid)
def __call__(self, z):
    z = np.atleast_1d(z)
    return np.exp(-np.logaddexp(0, -z))
