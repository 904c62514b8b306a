"""Knows the identity with tanh but forgets that its argument is z/2."""


@add_to(Sigmoid)
def __call__(self, z):
    return (np.tanh(z) + 1) / 2
