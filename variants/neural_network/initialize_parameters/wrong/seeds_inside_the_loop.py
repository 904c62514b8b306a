"""Seeds again for every unit, so all hidden units start with the same weights."""


@add_to(NeuralNetwork)
def initialize_parameters(self):
    self.W1 = np.zeros((self.n_hidden_units, self.n_features))
    self.W2 = np.zeros((self.n_classes, self.n_hidden_units))
    for W in (self.W1, self.W2):
        for unit in range(W.shape[0]):
            np.random.seed(42)
            W[unit] = np.random.randn(W.shape[1]) * 0.01
    self.b1 = np.zeros((self.n_hidden_units, 1))
    self.b2 = np.zeros((self.n_classes, 1))
