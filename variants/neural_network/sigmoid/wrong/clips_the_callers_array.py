"""Clips in place with `out=z`: the result is right, the caller's array is not any
more."""


@add_to(Sigmoid)
def __call__(self, z):
    if isinstance(z, np.ndarray):
        np.clip(z, -500, 500, out=z)
    return 1 / (1 + np.exp(-np.clip(z, -500, 500)))
