"""Draws (inputs, units) and stores the transposed view."""


@add_to(NeuralNetwork)
def initialize_parameters(self):
    rng = np.random.RandomState(21)
    self.W1 = rng.normal(scale=0.01, size=(self.n_features, self.n_hidden_units)).T
    self.W2 = rng.normal(scale=0.01, size=(self.n_hidden_units, self.n_classes)).T
    self.b1 = np.zeros((1, self.n_hidden_units)).T
    self.b2 = np.zeros((1, self.n_classes)).T
