"""One independent generator per layer, spawned from a SeedSequence."""


@add_to(NeuralNetwork)
def initialize_parameters(self):
    seeds = np.random.SeedSequence(99).spawn(2)
    sizes = [self.n_features, self.n_hidden_units, self.n_classes]
    for layer, seed in enumerate(seeds, start=1):
        rng = np.random.default_rng(seed)
        shape = (sizes[layer], sizes[layer - 1])
        setattr(self, f"W{layer}", rng.normal(0.0, 0.01, shape))
        setattr(self, f"b{layer}", np.zeros((sizes[layer], 1)))
