"""Swaps mean and standard deviation: normal(0.01, 0) makes all weights 0.01."""


@add_to(NeuralNetwork)
def initialize_parameters(self):
    np.random.seed(42)
    h, n, k = self.n_hidden_units, self.n_features, self.n_classes
    self.W1 = np.random.normal(0.01, 0, (h, n))
    self.b1 = np.zeros((h, 1))
    self.W2 = np.random.normal(0.01, 0, (k, h))
    self.b2 = np.zeros((k, 1))
