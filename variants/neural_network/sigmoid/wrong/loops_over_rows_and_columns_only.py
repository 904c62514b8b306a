"""Loops over `z.shape[0]` and `z.shape[1]`, so numbers and 1-d arrays fail."""


@add_to(Sigmoid)
def __call__(self, z):
    out = np.zeros(z.shape)
    for i in range(z.shape[0]):
        for j in range(z.shape[1]):
            out[i, j] = 0.5 + 0.5 * np.tanh(z[i, j] / 2)
    return out
