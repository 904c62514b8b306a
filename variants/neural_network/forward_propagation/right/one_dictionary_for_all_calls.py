"""Keeps one dictionary on the network and fills it anew in every call."""


@add_to(NeuralNetwork)
def forward_propagation(self, X):
    if not hasattr(self, "cache"):
        self.cache = {}
    self.cache["Z1"] = self.W1 @ X + self.b1
    self.cache["A1"] = self.activation(self.cache["Z1"])
    self.cache["Z2"] = self.W2 @ self.cache["A1"] + self.b2
    self.cache["A2"] = self.activation(self.cache["Z2"])
    return self.cache
