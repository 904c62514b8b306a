"""Stores self.parameters["W1"] instead of self.W1."""


@add_to(NeuralNetwork)
def initialize_parameters(self):
    np.random.seed(42)
    self.parameters = {}
    self.parameters["W1"] = np.random.randn(self.n_hidden_units, self.n_features) * 0.01
    self.parameters["b1"] = np.zeros((self.n_hidden_units, 1))
    self.parameters["W2"] = np.random.randn(self.n_classes, self.n_hidden_units) * 0.01
    self.parameters["b2"] = np.zeros((self.n_classes, 1))
