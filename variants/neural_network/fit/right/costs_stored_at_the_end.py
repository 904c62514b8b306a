"""Collects the costs in a local list and stores it after training."""


@add_to(NNClassifier)
def fit(self, X, Y):
    model, m = self.model, X.shape[1]
    size = self.batch_size or m
    Y1 = one_hot(Y, model.n_classes)
    model.initialize_parameters()
    costs = []
    for _ in tqdm(range(self.epochs)):
        for start in range(0, m, size):
            end = start + size
            cache = model.forward_propagation(X[:, start:end])
            grads = model.backward_propagation(X[:, start:end], Y1[:, start:end], cache)
            model.update_parameters(grads)
        cost = compute_cost(model.forward_propagation(X)["A2"], Y1)
        cost += model.reg.l1(model.W1, model.W2, m)
        cost += model.reg.l2(model.W1, model.W2, m)
        costs.append(float(cost))
    self.costs = costs
    return self
