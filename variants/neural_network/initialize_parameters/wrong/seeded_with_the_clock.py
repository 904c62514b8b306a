"""Seeds with the time and takes that for reproducible."""

import time


@add_to(NeuralNetwork)
def initialize_parameters(self):
    np.random.seed(time.time_ns() % 2**32)
    self.W1 = np.random.normal(0, 0.01, (self.n_hidden_units, self.n_features))
    self.b1 = np.zeros((self.n_hidden_units, 1))
    self.W2 = np.random.normal(0, 0.01, (self.n_classes, self.n_hidden_units))
    self.b2 = np.zeros((self.n_classes, 1))
