"""Rounds the answer so that it looks nice, and loses the small values."""


@add_to(Sigmoid)
def __call__(self, z):
    return np.round(0.5 * (1 + np.tanh(np.asarray(z) / 2)), 4)
