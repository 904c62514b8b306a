"""Computes in float32 to save time and memory."""


@add_to(NeuralNetwork)
def forward_propagation(self, X):
    f = np.float32
    Z1 = self.W1.astype(f) @ X.astype(f) + self.b1.astype(f)
    A1 = self.activation(Z1).astype(f)
    Z2 = self.W2.astype(f) @ A1 + self.b2.astype(f)
    A2 = self.activation(Z2).astype(f)
    return {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2}
