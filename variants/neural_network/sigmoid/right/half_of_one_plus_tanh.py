"""The identity with the hyperbolic tangent, which never overflows."""


@add_to(Sigmoid)
def __call__(self, z):
    return 0.5 * (1 + np.tanh(0.5 * np.asarray(z)))
