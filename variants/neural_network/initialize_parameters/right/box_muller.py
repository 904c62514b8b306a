"""Normal numbers from uniform ones by the Box-Muller formula."""


@add_to(NeuralNetwork)
def initialize_parameters(self):
    rng = np.random.RandomState(11)

    def normal(*shape):
        radius = np.sqrt(-2 * np.log(1 - rng.rand(*shape)))
        return 0.01 * radius * np.cos(2 * np.pi * rng.rand(*shape))

    self.W1 = normal(self.n_hidden_units, self.n_features)
    self.W2 = normal(self.n_classes, self.n_hidden_units)
    self.b1 = np.zeros((self.n_hidden_units, 1))
    self.b2 = np.zeros((self.n_classes, 1))
