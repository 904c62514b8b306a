"""Takes the other S-shaped curve, which runs from -1 to 1."""


@add_to(Sigmoid)
def __call__(self, z):
    return np.tanh(z)
