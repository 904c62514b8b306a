"""One number at a time."""


def inputs(rng):
    n, h, k = rng.integers(1, 6, size=3)
    theta, grads = (random_parameters(n, h, k, rng) for _ in range(2))
    return theta, grads, float(rng.uniform(0.01, 2))


def answer(theta, grads, rate):
    state = theta | {"learning_rate": rate}
    make, _ = UPDATE.target.start(state)
    update, network = answers_of(*make)
    update(network, {f"d{name}": grad for name, grad in grads.items()})
    return {name: getattr(network, name) for name in PARAMETERS}


def oracle(theta, grads, rate):
    step = np.vectorize(lambda value, slope: value - rate * slope, otypes=[float])
    return {name: step(theta[name], grads[name]) for name in PARAMETERS}
