"""Sums every weight by itself, without rounding errors."""


def inputs(rng):
    n, h, k, m = (int(size) for size in rng.integers(1, 6, size=4))
    W1, W2 = rng.normal(size=(h, n)), rng.normal(size=(k, h))
    if rng.random() < 0.3:
        W1, W2 = W1.ravel(), W2.ravel()
    return W1, W2, m, *rng.uniform(0, 2, size=2)


def answer(W1, W2, m, lambda_1, lambda_2):
    penalty = Regularization(float(lambda_1), float(lambda_2))
    return penalty.l1(W1, W2, m), penalty.l2(W1, W2, m)


def oracle(W1, W2, m, lambda_1, lambda_2):
    weights = [*W1.ravel().tolist(), *W2.ravel().tolist()]
    l1 = lambda_1 * math.fsum(map(abs, weights)) / m
    return l1, lambda_2 * math.fsum(w * w for w in weights) / m / 2
