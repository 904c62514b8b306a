"""Checks shapes and types of what the model returns: they are true ones in every test."""


@add_to(NNClassifier)
def fit(self, X, Y):
    model, m = self.model, X.shape[1]
    size = m if self.batch_size is None else self.batch_size
    Y1 = one_hot(Y, model.n_classes)
    model.initialize_parameters()
    self.costs = []
    for epoch in tqdm(range(self.epochs)):
        for start in range(0, m, size):
            x, y = X[:, start : start + size], Y1[:, start : start + size]
            cache = model.forward_propagation(x)
            assert cache["A2"].shape == y.shape
            np.vdot(cache["A2"], y)
            assert cache["A2"][y > 0].size == y.shape[1]
            grads = model.backward_propagation(x, y, cache)
            np.trace(grads["dW1"])
            assert grads["dW1"].shape == model.W1.shape
            assert grads["db2"].dtype.kind == "f"
            model.update_parameters(grads)
        A2 = model.forward_propagation(X)["A2"]
        reg, W1, W2 = model.reg, model.W1, model.W2
        penalty = reg.l1(W1, W2, m) + reg.l2(W1, W2, m)
        self.costs.append(compute_cost(A2, Y1) + penalty)
    return self
