"""A class of its own yields shuffled batches; costs are a list comprehension."""

class Batches:
    def __init__(self, X, Y, size, seed=3):
        self.X, self.Y, self.size = X, Y, size or X.shape[-1]
        self.rng = np.random.default_rng(seed)

    def __iter__(self):
        order = self.rng.permutation(self.X.shape[-1])
        cuts = list(range(self.size, len(order), self.size))
        for part in np.split(order, cuts):
            yield self.X.take(part, axis=1), self.Y.take(part, axis=1)


@add_to(NNClassifier)
def fit(self, X, Y):
    net = self.model
    net.initialize_parameters()
    X32, hot = X.astype(np.float32), one_hot(Y, net.n_classes)
    batches = Batches(X32, hot, self.batch_size)

    def one_epoch(_):
        for x, y in batches:
            net.update_parameters(net.backward_propagation(x, y, net.forward_propagation(x)))
        w = net.W1, net.W2, X.shape[1]
        cost = compute_cost(net.forward_propagation(X32)["A2"], hot)
        return float(cost + net.reg.l1(*w) + net.reg.l2(*w))

    self.costs = [one_epoch(epoch) for epoch in tqdm(range(self.epochs), leave=False)]
    return self
