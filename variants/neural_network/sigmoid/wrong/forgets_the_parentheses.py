"""Writes `1 / 1 + exp(-z)` and expects the fraction bar to reach over the sum."""


@add_to(Sigmoid)
def __call__(self, z):
    return 1 / 1 + np.exp(-z)
