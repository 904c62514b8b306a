"""Starts afresh by the model's own constructor, with the same arguments."""


@add_to(NNClassifier)
def fit(self, X, Y):
    model, m = self.model, X.shape[1]
    size = m if self.batch_size is None else self.batch_size
    Y1 = one_hot(Y, model.n_classes)
    model.__init__(
        model.n_features,
        model.n_hidden_units,
        model.n_classes,
        model.learning_rate,
        reg=model.reg,
        activation=model.activation,
    )
    self.costs = []
    for epoch in tqdm(range(self.epochs)):
        for start in range(0, m, size):
            x, y = X[:, start : start + size], Y1[:, start : start + size]
            cache = model.forward_propagation(x)
            grads = model.backward_propagation(x, y, cache)
            model.update_parameters(grads)
        A2 = model.forward_propagation(X)["A2"]
        reg, W1, W2 = model.reg, model.W1, model.W2
        penalty = reg.l1(W1, W2, m) + reg.l2(W1, W2, m)
        self.costs.append(compute_cost(A2, Y1) + penalty)
    return self
