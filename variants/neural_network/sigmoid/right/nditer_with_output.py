"""`np.nditer` allocates the output and walks over both arrays."""


@add_to(Sigmoid)
def __call__(self, z):
    with np.nditer([np.asarray(z, dtype=float), None]) as it:
        for x, y in it:
            y[...] = np.exp(min(x, 0.0)) / (1 + np.exp(-abs(x)))
        return it.operands[1]
