"""A Generator over the Philox bit generator."""


@add_to(NeuralNetwork)
def initialize_parameters(self):
    rng = np.random.Generator(np.random.Philox(5))
    self.W1 = 0.01 * rng.standard_normal((self.n_hidden_units, self.n_features))
    self.W2 = 0.01 * rng.standard_normal((self.n_classes, self.n_hidden_units))
    self.b1 = np.zeros((self.n_hidden_units, 1))
    self.b2 = np.zeros((self.n_classes, 1))
