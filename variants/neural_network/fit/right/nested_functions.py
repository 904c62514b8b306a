"""Splits the work into nested functions for one step and for the cost."""


@add_to(NNClassifier)
def fit(self, X, Y):
    model, m = self.model, X.shape[1]
    targets = one_hot(Y, model.n_classes)
    size = self.batch_size or m

    def step(batch):
        cache = model.forward_propagation(X[:, batch])
        model.update_parameters(
            model.backward_propagation(X[:, batch], targets[:, batch], cache)
        )

    def cost():
        data = compute_cost(model.forward_propagation(X)["A2"], targets)
        reg = model.reg
        return data + sum(p(model.W1, model.W2, m) for p in (reg.l1, reg.l2))

    model.initialize_parameters()
    self.costs = []
    for _ in tqdm(range(self.epochs)):
        for start in range(0, m, size):
            step(range(m)[start : start + size])
        self.costs.append(cost())
    return self
