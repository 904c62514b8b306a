"""Samples of statistics.NormalDist, reshaped into matrices."""

from statistics import NormalDist


@add_to(NeuralNetwork)
def initialize_parameters(self):
    def draw(rows, columns, seed):
        samples = NormalDist(0, 0.01).samples(rows * columns, seed=seed)
        return np.reshape(samples, (rows, columns))

    self.W1 = draw(self.n_hidden_units, self.n_features, seed=3)
    self.W2 = draw(self.n_classes, self.n_hidden_units, seed=4)
    self.b1 = np.zeros((self.n_hidden_units, 1))
    self.b2 = np.zeros((self.n_classes, 1))
