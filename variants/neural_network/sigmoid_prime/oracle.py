"""One scalar at a time: the slope is 1 / (4 cosh²(z / 2))."""


def inputs(rng):
    shape = tuple(rng.integers(1, 5, size=rng.integers(0, 4)))
    scale = rng.choice([1, 30, 1000])
    z = scale * rng.uniform(-1, 1, size=shape)
    if rng.random() < 0.3:
        z = z.round().astype(int)
    return (np.asarray(z) if shape else z,)


def answer(z):
    with quiet():
        return Sigmoid().prime(z)


def oracle(z):
    one = lambda t: 0.25 / math.cosh(t / 2) ** 2 if abs(t) < 700 else 0.0
    return np.vectorize(one, otypes=[float])(z)
