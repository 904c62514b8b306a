"""One column after the other, written into empty arrays."""


@add_to(NeuralNetwork)
def forward_propagation(self, X):
    m = X.shape[1]
    Z1 = np.empty((self.W1.shape[0], m))
    Z2 = np.empty((self.W2.shape[0], m))
    A1, A2 = np.empty_like(Z1), np.empty_like(Z2)
    for i in range(m):
        Z1[:, i] = self.W1 @ X[:, i] + self.b1[:, 0]
        A1[:, i] = self.activation(Z1[:, i])
        Z2[:, i] = self.W2 @ A1[:, i] + self.b2[:, 0]
        A2[:, i] = self.activation(Z2[:, i])
    return {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2}
