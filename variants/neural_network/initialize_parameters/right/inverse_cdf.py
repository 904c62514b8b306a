"""Normal numbers by pushing uniform ones through the inverse distribution."""

from random import Random
from statistics import NormalDist


@add_to(NeuralNetwork)
def initialize_parameters(self):
    rng, normal = Random(8), NormalDist(0, 0.01)

    def matrix(rows, columns):
        W = np.empty((rows, columns))
        for index in np.ndindex(rows, columns):
            W[index] = normal.inv_cdf(rng.random() or 0.5)
        return W

    self.W1 = matrix(self.n_hidden_units, self.n_features)
    self.W2 = matrix(self.n_classes, self.n_hidden_units)
    self.b1 = np.zeros((self.n_hidden_units, 1))
    self.b2 = np.zeros((self.n_classes, 1))
