"""Trains on a float32 copy of the examples."""


@add_to(NNClassifier)
def fit(self, X, Y):
    model, m = self.model, X.shape[1]
    X = X.astype(np.float32)
    Y1 = one_hot(Y, model.n_classes).astype(np.float32)
    size = self.batch_size or m
    model.initialize_parameters()
    self.costs = []
    for _ in tqdm(range(self.epochs)):
        for start in range(0, m, size):
            x, y = X[:, start : start + size], Y1[:, start : start + size]
            cache = model.forward_propagation(x)
            model.update_parameters(model.backward_propagation(x, y, cache))
        A2 = model.forward_propagation(X)["A2"]
        reg, W1, W2 = model.reg, model.W1, model.W2
        penalty = reg.l1(W1, W2, m) + reg.l2(W1, W2, m)
        self.costs.append(compute_cost(A2, Y1) + penalty)
    return self
