"""np.array_split: batches of nearly equal size, as many as the contract says."""


@add_to(NNClassifier)
def fit(self, X, Y):
    model, m = self.model, X.shape[1]
    n_batches = 1 if self.batch_size is None else -(-m // self.batch_size)
    Y1 = one_hot(Y, model.n_classes)
    rng = np.random.RandomState(5)
    model.initialize_parameters()
    self.costs = []
    for _ in tqdm(range(self.epochs)):
        for batch in np.array_split(rng.permutation(m), n_batches):
            x, y = X[:, batch], Y1[:, batch]
            model.update_parameters(
                model.backward_propagation(x, y, model.forward_propagation(x))
            )
        A2 = model.forward_propagation(X)["A2"]
        reg, W1, W2 = model.reg, model.W1, model.W2
        penalty = reg.l1(W1, W2, m) + reg.l2(W1, W2, m)
        self.costs.append(compute_cost(A2, Y1) + penalty)
    return self
