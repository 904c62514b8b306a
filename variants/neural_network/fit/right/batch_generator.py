"""A generator function beside the method yields the batches."""


def batches(X, Y, size, rng):
    order = rng.permutation(X.shape[1])
    for start in range(0, len(order), size):
        chosen = order[start : start + size]
        yield X[:, chosen], Y[:, chosen]


@add_to(NNClassifier)
def fit(self, X, Y):
    model, rng, m = self.model, np.random.default_rng(9), X.shape[1]
    Y1 = one_hot(Y, model.n_classes)
    model.initialize_parameters()
    self.costs = []
    for _ in tqdm(range(self.epochs)):
        for x, y in batches(X, Y1, self.batch_size or m, rng):
            grads = model.backward_propagation(x, y, model.forward_propagation(x))
            model.update_parameters(grads)
        A2 = model.forward_propagation(X)["A2"]
        reg, W1, W2 = model.reg, model.W1, model.W2
        penalty = reg.l1(W1, W2, m) + reg.l2(W1, W2, m)
        self.costs.append(compute_cost(A2, Y1) + penalty)
    return self
