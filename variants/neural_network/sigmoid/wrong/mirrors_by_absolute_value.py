"""Takes `abs(z)` against overflow and forgets to mirror the negative side back."""


@add_to(Sigmoid)
def __call__(self, z):
    return 1 / (1 + np.exp(-np.abs(z)))
