"""Shuffles copies of X and Y together, then cuts slices."""


@add_to(NNClassifier)
def fit(self, X, Y):
    model, m = self.model, X.shape[1]
    size = self.batch_size if self.batch_size else m
    Y1 = one_hot(Y, model.n_classes)
    model.initialize_parameters()
    self.costs = []
    np.random.seed(1)
    for _ in tqdm(range(self.epochs)):
        order = np.random.permutation(m)
        shuffled_x, shuffled_y = X[:, order], Y1[:, order]
        for i in range(int(np.ceil(m / size))):
            x = shuffled_x[:, i * size : (i + 1) * size]
            y = shuffled_y[:, i * size : (i + 1) * size]
            grads = model.backward_propagation(x, y, model.forward_propagation(x))
            model.update_parameters(grads)
        A2 = model.forward_propagation(X)["A2"]
        reg, W1, W2 = model.reg, model.W1, model.W2
        penalty = reg.l1(W1, W2, m) + reg.l2(W1, W2, m)
        self.costs.append(compute_cost(A2, Y1) + penalty)
    return self
