"""Stores the cache on self and forgets to return it."""


@add_to(NeuralNetwork)
def forward_propagation(self, X):
    Z1 = self.W1 @ X + self.b1
    A1 = self.activation(Z1)
    Z2 = self.W2 @ A1 + self.b2
    A2 = self.activation(Z2)
    self.cache = {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2}
