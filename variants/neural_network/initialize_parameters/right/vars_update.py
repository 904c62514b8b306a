"""Sets all four attributes in one go through vars(self)."""


@add_to(NeuralNetwork)
def initialize_parameters(self):
    rng = np.random.default_rng([self.n_features, self.n_hidden_units, self.n_classes])
    h, n, k = self.n_hidden_units, self.n_features, self.n_classes
    shapes = {"W1": (h, n), "b1": (h, 1), "W2": (k, h), "b2": (k, 1)}
    scales = {"W1": 0.01, "b1": 0.0, "W2": 0.01, "b2": 0.0}
    vars(self).update({p: rng.normal(0, scales[p], shapes[p]) for p in shapes})
