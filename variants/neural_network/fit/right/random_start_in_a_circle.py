"""Starts every epoch at another column and goes once round the circle."""


@add_to(NNClassifier)
def fit(self, X, Y):
    model, m = self.model, X.shape[1]
    size = self.batch_size or m
    Y1 = one_hot(Y, model.n_classes)
    model.initialize_parameters()
    self.costs = []
    with tqdm(total=self.epochs) as bar:
        for epoch in range(self.epochs):
            order = np.roll(np.arange(m), epoch)
            for start in range(0, m, size):
                batch = order[start : start + size]
                x, y = np.take(X, batch, axis=1), np.take(Y1, batch, axis=1)
                cache = model.forward_propagation(x)
                model.update_parameters(model.backward_propagation(x, y, cache))
            A2 = model.forward_propagation(X)["A2"]
            reg, W1, W2 = model.reg, model.W1, model.W2
            penalty = reg.l1(W1, W2, m) + reg.l2(W1, W2, m)
            self.costs.append(compute_cost(A2, Y1) + penalty)
            bar.update()
    return self
