"""Builds the answer in a flat list and forgets to give it the shape of z again."""


@add_to(Sigmoid)
def __call__(self, z):
    return np.array([0.5 * (1 + np.tanh(v / 2)) for v in np.ravel(z)])
