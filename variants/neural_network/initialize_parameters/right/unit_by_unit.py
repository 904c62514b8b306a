"""Draws the weights of one unit after the other, seeded once."""


@add_to(NeuralNetwork)
def initialize_parameters(self):
    np.random.seed(0)
    self.W1 = np.zeros((self.n_hidden_units, self.n_features))
    self.W2 = np.zeros((self.n_classes, self.n_hidden_units))
    for unit in range(self.n_hidden_units):
        self.W1[unit] = np.random.randn(self.n_features) * 0.01
    for unit in range(self.n_classes):
        self.W2[unit] = np.random.randn(self.n_hidden_units) * 0.01
    self.b1 = np.zeros((self.n_hidden_units, 1))
    self.b2 = np.zeros((self.n_classes, 1))
