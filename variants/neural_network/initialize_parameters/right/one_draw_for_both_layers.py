"""Draws all weights as one vector and cuts it in two."""


@add_to(NeuralNetwork)
def initialize_parameters(self):
    h, n, k = self.n_hidden_units, self.n_features, self.n_classes
    weights = np.random.RandomState(7).normal(0, 0.01, size=h * n + k * h)
    self.W1 = weights[: h * n].reshape(h, n)
    self.W2 = weights[h * n :].reshape(k, h)
    self.b1 = np.zeros((h, 1))
    self.b2 = np.zeros((k, 1))
