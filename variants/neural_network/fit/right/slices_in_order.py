"""No shuffling at all: consecutive slices, the same in every epoch."""


@add_to(NNClassifier)
def fit(self, X, Y):
    m = X.shape[1]
    size = self.batch_size or m
    Y1 = one_hot(Y, self.model.n_classes)
    self.costs = []
    self.model.initialize_parameters()
    for _ in tqdm(range(self.epochs)):
        for start in range(0, m, size):
            x, y = X[:, start : start + size], Y1[:, start : start + size]
            cache = self.model.forward_propagation(x)
            self.model.update_parameters(self.model.backward_propagation(x, y, cache))
        A2 = self.model.forward_propagation(X)["A2"]
        W1, W2 = self.model.W1, self.model.W2
        penalty = self.model.reg.l1(W1, W2, m) + self.model.reg.l2(W1, W2, m)
        self.costs.append(compute_cost(A2, Y1) + penalty)
    return self
