"""Full batch: every epoch is one step along the slopes of the test's own model."""


def inputs(rng):
    n, h, k, m = (int(size) for size in rng.integers(1, 4, size=4))
    X, labels = rng.normal(size=(n, m)), rng.integers(0, k, size=(1, m))
    return n, h, k, X, labels, *(float(x) for x in rng.uniform(0, 1, size=2))


def answer(n, h, k, X, Y, lambda_1, lambda_2):
    classifier = NNClassifier(spy_model(n, h, k, 0.3, lambda_1, lambda_2), 2, None)
    with quiet():
        classifier.fit(X, Y)
    return [float(value) for value in classifier.costs]


def oracle(n, h, k, X, Y, lambda_1, lambda_2):
    model, costs = spy_model(n, h, k, 0.3, lambda_1, lambda_2), []
    model.initialize_parameters()
    labels = np.array([[float(c == row) for c in Y[0]] for row in range(k)])
    for _ in range(2):
        grads = gradients(model._theta(), X, labels, model.reg, factors=stretch)
        model.update_parameters(grads)
        costs.append(cost(model._theta(), X, labels, model.reg, stretch))
    return costs
