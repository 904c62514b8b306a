"""Glues the bias to the weights and a row of ones to the input."""


@add_to(NeuralNetwork)
def forward_propagation(self, X):
    ones = np.ones((1, X.shape[1]))
    Z1 = np.hstack([self.W1, self.b1]) @ np.vstack([X, ones])
    A1 = self.activation(Z1)
    Z2 = np.hstack([self.W2, self.b2]) @ np.vstack([A1, ones])
    A2 = self.activation(Z2)
    return {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2}
