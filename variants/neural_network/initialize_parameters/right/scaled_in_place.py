"""Standard normal numbers, scaled in place afterwards."""


@add_to(NeuralNetwork)
def initialize_parameters(self):
    rng = np.random.default_rng(17)
    self.W1 = rng.standard_normal((self.n_hidden_units, self.n_features))
    self.W1 *= 0.01
    self.W2 = rng.standard_normal((self.n_classes, self.n_hidden_units))
    self.W2 /= 100
    self.b1, self.b2 = (
        np.full((s, 1), 0.0) for s in (self.n_hidden_units, self.n_classes)
    )
