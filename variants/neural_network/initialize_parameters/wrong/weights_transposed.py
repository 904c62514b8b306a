"""Stores weights as (inputs, units), as for rows of examples."""


@add_to(NeuralNetwork)
def initialize_parameters(self):
    np.random.seed(42)
    self.W1 = np.random.randn(self.n_features, self.n_hidden_units) * 0.01
    self.b1 = np.zeros((self.n_hidden_units, 1))
    self.W2 = np.random.randn(self.n_hidden_units, self.n_classes) * 0.01
    self.b2 = np.zeros((self.n_classes, 1))
