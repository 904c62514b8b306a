"""Starts the weights at zero like the biases."""


@add_to(NeuralNetwork)
def initialize_parameters(self):
    self.W1 = np.zeros((self.n_hidden_units, self.n_features))
    self.b1 = np.zeros((self.n_hidden_units, 1))
    self.W2 = np.zeros((self.n_classes, self.n_hidden_units))
    self.b2 = np.zeros((self.n_classes, 1))
