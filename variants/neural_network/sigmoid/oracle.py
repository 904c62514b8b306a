"""One scalar at a time, from the hyperbolic tangent."""


def inputs(rng):
    shape = tuple(rng.integers(1, 5, size=rng.integers(0, 4)))
    scale = rng.choice([1, 30, 1000])
    z = scale * rng.uniform(-1, 1, size=shape)
    if rng.random() < 0.3:
        z = z.round().astype(int)
    return (np.asarray(z) if shape else z,)


def answer(z):
    with quiet():
        return Sigmoid()(z)


def oracle(z):
    one = lambda t: (1 + math.tanh(t / 2)) / 2
    return np.vectorize(one, otypes=[float])(z)
