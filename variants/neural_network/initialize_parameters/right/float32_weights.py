"""Everything in float32 from the start."""


@add_to(NeuralNetwork)
def initialize_parameters(self):
    rng = np.random.default_rng(0)
    scale = np.float32(0.01)
    h, n, k = self.n_hidden_units, self.n_features, self.n_classes
    self.W1 = rng.standard_normal((h, n), dtype=np.float32) * scale
    self.b1 = np.zeros((h, 1), dtype=np.float32)
    self.W2 = rng.standard_normal((k, h), dtype=np.float32) * scale
    self.b2 = np.zeros((k, 1), dtype=np.float32)
