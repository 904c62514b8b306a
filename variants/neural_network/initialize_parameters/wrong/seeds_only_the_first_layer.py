"""Seeds the generator of W1 and takes a fresh one for W2."""


@add_to(NeuralNetwork)
def initialize_parameters(self):
    h, n, k = self.n_hidden_units, self.n_features, self.n_classes
    self.W1 = np.random.default_rng(42).normal(0, 0.01, (h, n))
    self.b1 = np.zeros((h, 1))
    self.W2 = np.random.default_rng().normal(0, 0.01, (k, h))
    self.b2 = np.zeros((k, 1))
