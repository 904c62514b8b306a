"""No NumPy randomness: random.Random.gauss, weight by weight."""

from random import Random


@add_to(NeuralNetwork)
def initialize_parameters(self):
    rng = Random(42)
    h, n, k = self.n_hidden_units, self.n_features, self.n_classes
    self.W1 = np.array([[rng.gauss(0, 0.01) for _ in range(n)] for _ in range(h)])
    self.b1 = np.array([[0.0] for _ in range(h)])
    self.W2 = np.array([[rng.gauss(0, 0.01) for _ in range(h)] for _ in range(k)])
    self.b2 = np.array([[0.0] for _ in range(k)])
