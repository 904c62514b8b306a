"""Returns the parameters in a dict and stores nothing on self."""


@add_to(NeuralNetwork)
def initialize_parameters(self):
    np.random.seed(42)
    W1 = np.random.randn(self.n_hidden_units, self.n_features) * 0.01
    b1 = np.zeros((self.n_hidden_units, 1))
    W2 = np.random.randn(self.n_classes, self.n_hidden_units) * 0.01
    b2 = np.zeros((self.n_classes, 1))
    return {"W1": W1, "b1": b1, "W2": W2, "b2": b2}
