"""Multiplies X @ W, as if examples were rows."""


@add_to(NeuralNetwork)
def forward_propagation(self, X):
    Z1 = X @ self.W1 + self.b1
    A1 = self.activation(Z1)
    Z2 = A1 @ self.W2 + self.b2
    A2 = self.activation(Z2)
    return {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2}
