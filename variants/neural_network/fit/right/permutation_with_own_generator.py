"""Shuffles every epoch with a generator of its own."""


@add_to(NNClassifier)
def fit(self, X, Y):
    rng = np.random.default_rng(0)
    model, m = self.model, X.shape[1]
    size = m if self.batch_size is None else self.batch_size
    Y1 = one_hot(Y, model.n_classes)
    model.initialize_parameters()
    self.costs = []
    for epoch in tqdm(range(self.epochs), desc="epochs"):
        order = rng.permutation(m)
        for start in range(0, m, size):
            batch = order[start : start + size]
            cache = model.forward_propagation(X[:, batch])
            grads = model.backward_propagation(X[:, batch], Y1[:, batch], cache)
            model.update_parameters(grads)
        cost = compute_cost(model.forward_propagation(X)["A2"], Y1)
        cost += model.reg.l1(model.W1, model.W2, m)
        cost += model.reg.l2(model.W1, model.W2, m)
        self.costs.append(cost)
    return self
