"""Fills `np.zeros_like(z)`: for integers the answer is an integer array, so all
zeros."""


@add_to(Sigmoid)
def __call__(self, z):
    out = np.zeros_like(z)
    out[...] = 1 / (1 + np.exp(-np.clip(z, -700, 700)))
    return out
