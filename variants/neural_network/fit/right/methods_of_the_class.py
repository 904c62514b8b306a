"""The network's class starts it; every argument is named; a private count is kept."""


@add_to(NNClassifier)
def fit(self, X, Y):
    model, m = self.model, X.shape[1]
    assert isinstance(model, NeuralNetwork)
    network = type(model)
    size = self.batch_size or m
    Y1 = one_hot(Y=Y, n_classes=model.n_classes)
    network.initialize_parameters(model)
    self.costs, model._epoch = [], 0
    for _ in tqdm(range(self.epochs)):
        for start in range(0, m, size):
            x, y = X[:, start : start + size], Y1[:, start : start + size]
            cache = model.forward_propagation(X=x)
            grads = model.backward_propagation(X=x, Y=y, cache=cache)
            model.update_parameters(grads=grads)
        model._epoch += 1
        weights = {"W1": model.W1, "W2": model.W2, "m": m}
        J = compute_cost(A2=model.forward_propagation(X=X)["A2"], Y=Y1)
        self.costs.append(J + model.reg.l1(**weights) + model.reg.l2(**weights))
    return self
