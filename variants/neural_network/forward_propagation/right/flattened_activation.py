"""Flattens before the activation and restores the shape afterwards."""


@add_to(NeuralNetwork)
def forward_propagation(self, X):
    def sigma(Z):
        return np.reshape(self.activation(Z.ravel()), Z.shape)

    Z1 = np.inner(self.W1, X.T) + self.b1
    A1 = sigma(Z1)
    Z2 = np.inner(self.W2, A1.T) + self.b2
    A2 = sigma(Z2)
    return dict(zip(("Z1", "A1", "Z2", "A2"), (Z1, A1, Z2, A2)))
