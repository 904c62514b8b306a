"""Self-contained: the complex-step derivative, exact to the last digits."""


@add_to(Sigmoid)
def prime(self, z):
    h = 1e-20
    z = np.clip(np.asarray(z, dtype=float), -300, 300)
    return (1 / (1 + np.exp(-(z + 1j * h)))).imag / h
