"""Takes np.random.rand for a normal distribution."""


@add_to(NeuralNetwork)
def initialize_parameters(self):
    np.random.seed(42)
    self.W1 = np.random.rand(self.n_hidden_units, self.n_features) * 0.01
    self.b1 = np.zeros((self.n_hidden_units, 1))
    self.W2 = np.random.rand(self.n_classes, self.n_hidden_units) * 0.01
    self.b2 = np.zeros((self.n_classes, 1))
