"""Encodes the labels of each batch when it needs them."""


@add_to(NNClassifier)
def fit(self, X, Y):
    model, m, k = self.model, X.shape[1], self.model.n_classes
    size = m if self.batch_size is None else min(self.batch_size, m)
    model.initialize_parameters()
    self.costs = []
    for _ in tqdm(range(self.epochs)):
        order = np.random.default_rng(len(self.costs)).permutation(m)
        for start in range(0, m, size):
            batch = order[start : start + size]
            x, y = X[:, batch], one_hot(Y[:, batch], k)
            cache = model.forward_propagation(x)
            model.update_parameters(model.backward_propagation(x, y, cache))
        W1, W2 = model.W1, model.W2
        cost = compute_cost(model.forward_propagation(X)["A2"], one_hot(Y, k))
        self.costs.append(cost + model.reg.l1(W1, W2, m) + model.reg.l2(W1, W2, m))
    return self
