"""Adds the price of every output, one logarithm at a time."""


def inputs(rng):
    k, m = rng.integers(1, 7, size=2)
    A2 = rng.uniform(0.001, 0.999, size=(k, m))
    return A2, np.eye(k)[:, rng.integers(0, k, size=m)]


def answer(A2, Y):
    return compute_cost(A2, Y)


def oracle(A2, Y):
    prices = (math.log(a) if y else math.log1p(-a) for a, y in zip(A2.flat, Y.flat))
    return -math.fsum(prices) / A2.shape[1]
