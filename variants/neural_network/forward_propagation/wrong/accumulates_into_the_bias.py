"""Adds the product onto self.b1 and so changes the parameters."""


@add_to(NeuralNetwork)
def forward_propagation(self, X):
    self.b1 = self.b1 + self.W1 @ X
    A1 = self.activation(self.b1)
    self.b2 = self.b2 + self.W2 @ A1
    A2 = self.activation(self.b2)
    return {"Z1": self.b1, "A1": A1, "Z2": self.b2, "A2": A2}
