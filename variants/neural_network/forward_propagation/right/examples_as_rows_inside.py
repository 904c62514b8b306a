"""Works with examples as rows and transposes back at the end."""


@add_to(NeuralNetwork)
def forward_propagation(self, X):
    Z1 = X.T @ self.W1.T + self.b1.T
    A1 = self.activation(Z1)
    Z2 = A1 @ self.W2.T + self.b2.T
    A2 = self.activation(Z2)
    return {"Z1": Z1.T, "A1": A1.T, "Z2": Z2.T, "A2": A2.T}
