"""Repeats the bias for every example instead of broadcasting it."""


@add_to(NeuralNetwork)
def forward_propagation(self, X):
    m = X.shape[1]
    Z1 = self.W1.dot(X) + np.tile(self.b1, (1, m))
    A1 = self.activation(Z1)
    Z2 = self.W2.dot(A1) + np.repeat(self.b2, m, axis=1)
    A2 = self.activation(Z2)
    return {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2}
