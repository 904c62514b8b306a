"""One unit and one example at a time."""


def inputs(rng):
    n, h, k, m = rng.integers(1, 6, size=4)
    return random_parameters(n, h, k, rng), rng.normal(size=(n, m))


def answer(theta, X):
    make, _ = FORWARD.target.start(theta)
    forward_pass, network = answers_of(*make)
    return forward_pass(network, X)


def layer(W, b, inputs):
    columns = range(inputs.shape[1])
    Z = [
        [math.fsum([*(w * inputs[:, i]), shift[0]]) for i in columns]
        for w, shift in zip(W, b)
    ]
    return np.array(Z), np.array([[(1 + math.tanh((z + 0.3) / 2)) / 2 for z in row] for row in Z])


def oracle(theta, X):
    Z1, A1 = layer(theta["W1"], theta["b1"], X)
    Z2, A2 = layer(theta["W2"], theta["b2"], A1)
    return {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2}
