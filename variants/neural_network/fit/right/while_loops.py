"""While loops and counters by hand."""


@add_to(NNClassifier)
def fit(self, X, Y):
    model, m = self.model, X.shape[1]
    size = self.batch_size
    if size is None:
        size = m
    Y1 = one_hot(Y, model.n_classes)
    model.initialize_parameters()
    self.costs, epoch, bar = [], 0, tqdm(total=self.epochs)
    while epoch < self.epochs:
        start = 0
        while start < m:
            end = min(start + size, m)
            cache = model.forward_propagation(X[:, start:end])
            grads = model.backward_propagation(X[:, start:end], Y1[:, start:end], cache)
            model.update_parameters(grads)
            start = end
        A2 = model.forward_propagation(X)["A2"]
        reg, W1, W2 = model.reg, model.W1, model.W2
        penalty = reg.l1(W1, W2, m) + reg.l2(W1, W2, m)
        self.costs.append(compute_cost(A2, Y1) + penalty)
        epoch += 1
        bar.update()
    bar.close()
    return self
