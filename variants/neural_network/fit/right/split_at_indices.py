"""np.split of X and the targets at every multiple of the batch size."""


@add_to(NNClassifier)
def fit(self, X, Y):
    model, m = self.model, X.shape[1]
    cuts = np.arange(self.batch_size or m, m, self.batch_size or m)
    Y1 = one_hot(Y, model.n_classes)
    batches = list(zip(np.split(X, cuts, axis=1), np.split(Y1, cuts, axis=1)))
    model.initialize_parameters()
    self.costs = []
    for _ in tqdm(range(self.epochs)):
        for x, y in batches:
            cache = model.forward_propagation(x)
            model.update_parameters(model.backward_propagation(x, y, cache))
        A2 = model.forward_propagation(X)["A2"]
        reg, W1, W2 = model.reg, model.W1, model.W2
        penalty = reg.l1(W1, W2, m) + reg.l2(W1, W2, m)
        self.costs.append(compute_cost(A2, Y1) + penalty)
    return self
