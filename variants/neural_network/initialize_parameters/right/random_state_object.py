"""A RandomState object of its own instead of the global generator."""


@add_to(NeuralNetwork)
def initialize_parameters(self):
    rng = np.random.RandomState(1)
    h, n, k = self.n_hidden_units, self.n_features, self.n_classes
    self.W1, self.b1 = rng.normal(0, 0.01, (h, n)), np.zeros((h, 1))
    self.W2, self.b2 = rng.normal(0, 0.01, (k, h)), np.zeros((k, 1))
