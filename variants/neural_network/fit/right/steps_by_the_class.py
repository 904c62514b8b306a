"""Calls each step as a function of the model's class."""


@add_to(NNClassifier)
def fit(self, X, Y):
    network, m = type(self.model), X.shape[1]
    size = self.batch_size or m
    Y1 = one_hot(Y, self.model.n_classes)
    network.initialize_parameters(self.model)
    self.costs = []
    for _ in range(self.epochs):
        for start in range(0, m, size):
            x, y = X[:, start : start + size], Y1[:, start : start + size]
            cache = network.forward_propagation(self.model, x)
            grads = network.backward_propagation(self.model, x, y, cache)
            network.update_parameters(self.model, grads)
        cost = compute_cost(network.forward_propagation(self.model, X)["A2"], Y1)
        reg, weights = self.model.reg, (self.model.W1, self.model.W2, m)
        self.costs.append(cost + reg.l1(*weights) + reg.l2(*weights))
    return self
