"""Makes the generator once outside, so each new network continues the stream."""

rng = np.random.default_rng(42)


@add_to(NeuralNetwork)
def initialize_parameters(self):
    self.W1 = rng.normal(0, 0.01, (self.n_hidden_units, self.n_features))
    self.b1 = np.zeros((self.n_hidden_units, 1))
    self.W2 = rng.normal(0, 0.01, (self.n_classes, self.n_hidden_units))
    self.b2 = np.zeros((self.n_classes, 1))
