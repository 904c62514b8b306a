"""A new order in each epoch, one name for each step: what most students write."""


@add_to(NNClassifier)
def fit(self, X, Y):
    model, m = self.model, X.shape[1]
    size = m if self.batch_size is None else self.batch_size
    Y1 = one_hot(Y, model.n_classes)
    rng = np.random.RandomState(0)
    model.initialize_parameters()
    self.costs = []
    for epoch in tqdm(range(self.epochs)):
        order = rng.permutation(m)
        for start in range(0, m, size):
            batch = order[start : start + size]
            x, y = X[:, batch], Y1[:, batch]
            cache = model.forward_propagation(x)
            grads = model.backward_propagation(x, y, cache)
            model.update_parameters(grads)
        A2 = model.forward_propagation(X)["A2"]
        reg, W1, W2 = model.reg, model.W1, model.W2
        penalty = reg.l1(W1, W2, m) + reg.l2(W1, W2, m)
        self.costs.append(compute_cost(A2, Y1) + penalty)
    return self
