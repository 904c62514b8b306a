"""Saves memory with `out=`, on a copy of the input."""


@add_to(Sigmoid)
def __call__(self, z):
    a = np.array(z, dtype=float)
    np.negative(a, out=a)
    np.clip(a, -709, 709, out=a)
    np.exp(a, out=a)
    a += 1
    np.reciprocal(a, out=a)
    return a
