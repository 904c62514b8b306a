"""Asks of every entry whether it is the label's."""


def inputs(rng):
    n_classes, m = (int(n) for n in rng.integers(1, 9, size=2))
    kind = rng.choice(["int64", "int8", "uint8"])
    return rng.integers(0, n_classes, size=(1, m)).astype(kind), n_classes


def oracle(Y, n_classes):
    return np.array([[float(label == row) for label in Y[0]] for row in range(n_classes)])
