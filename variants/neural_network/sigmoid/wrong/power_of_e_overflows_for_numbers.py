"""Writes `np.e ** -z`: a Python number raises OverflowError at -1000, an array
does not."""


@add_to(Sigmoid)
def __call__(self, z):
    return 1 / (1 + np.e ** (-z))
