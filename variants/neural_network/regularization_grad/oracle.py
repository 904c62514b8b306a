"""Decides the sign of every weight by itself; no weight is zero."""


def inputs(rng):
    n, h, k, m = (int(size) for size in rng.integers(1, 6, size=4))
    W1, W2 = rng.normal(size=(h, n)), rng.normal(size=(k, h))
    if rng.random() < 0.3:
        W1, W2 = W1.ravel(), W2.ravel()
    return W1, W2, m, *rng.uniform(0, 2, size=2)


def answer(W1, W2, m, lambda_1, lambda_2):
    penalty = Regularization(float(lambda_1), float(lambda_2))
    return penalty.l1_grad(W1, W2, m), penalty.l2_grad(W1, W2, m)


def oracle(W1, W2, m, lambda_1, lambda_2):
    sign = np.vectorize(lambda w: lambda_1 / m * math.copysign(1, w), otypes=[float])
    times = np.vectorize(lambda w: lambda_2 / m * w, otypes=[float])
    return tuple({"dW1": part(W1), "dW2": part(W2)} for part in (sign, times))
