"""Self-contained: says 0 far from zero and uses the quotient elsewhere."""


@add_to(Sigmoid)
def prime(self, z):
    z = np.asarray(z, dtype=float)
    near = np.where(np.abs(z) < 300, z, 0)
    value = np.exp(-near) / (1 + np.exp(-near)) ** 2
    return np.where(np.abs(z) < 300, value, 0.0)
