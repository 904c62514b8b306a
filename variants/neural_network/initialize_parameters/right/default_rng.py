"""The new Generator interface with another seed."""


@add_to(NeuralNetwork)
def initialize_parameters(self):
    rng = np.random.default_rng(2024)
    self.W1 = rng.normal(
        loc=0.0, scale=0.01, size=(self.n_hidden_units, self.n_features)
    )
    self.W2 = rng.normal(
        loc=0.0, scale=0.01, size=(self.n_classes, self.n_hidden_units)
    )
    self.b1 = np.zeros([self.n_hidden_units, 1])
    self.b2 = np.zeros([self.n_classes, 1])
