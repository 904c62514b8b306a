"""Leaves the stub's last line below a finished answer."""


@add_to(NeuralNetwork)
def initialize_parameters(self):
    np.random.seed(42)
    self.W1 = np.random.randn(self.n_hidden_units, self.n_features) * 0.01
    self.W2 = np.random.randn(self.n_classes, self.n_hidden_units) * 0.01
    self.b1 = np.zeros((self.n_hidden_units, 1))
    self.b2 = np.zeros((self.n_classes, 1))
    raise NotImplementedError  # your code here
