"""Names the entries z1, a1, z2, a2."""


@add_to(NeuralNetwork)
def forward_propagation(self, X):
    Z1 = self.W1 @ X + self.b1
    A1 = self.activation(Z1)
    Z2 = self.W2 @ A1 + self.b2
    A2 = self.activation(Z2)
    return {"z1": Z1, "a1": A1, "z2": Z2, "a2": A2}
