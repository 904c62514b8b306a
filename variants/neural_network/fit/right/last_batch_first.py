"""Goes backwards through the training set."""


@add_to(NNClassifier)
def fit(self, X, Y):
    model, m = self.model, X.shape[1]
    size = self.batch_size or m
    Y1 = one_hot(Y, model.n_classes)
    model.initialize_parameters()
    self.costs = []
    for _ in tqdm(range(self.epochs)):
        for start in reversed(range(0, m, size)):
            batch = slice(start, start + size)
            cache = model.forward_propagation(X[:, batch])
            grads = model.backward_propagation(X[:, batch], Y1[:, batch], cache)
            model.update_parameters(grads)
        A2 = model.forward_propagation(X)["A2"]
        reg, W1, W2 = model.reg, model.W1, model.W2
        penalty = reg.l1(W1, W2, m) + reg.l2(W1, W2, m)
        self.costs.append(compute_cost(A2, Y1) + penalty)
    return self
