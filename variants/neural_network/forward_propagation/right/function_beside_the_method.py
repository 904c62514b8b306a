"""A function for one layer, defined in the same cell."""


def dense(W, b, A):
    return W.dot(A) + b


@add_to(NeuralNetwork)
def forward_propagation(self, X):
    cache = {}
    cache["Z1"] = dense(self.W1, self.b1, X)
    cache["A1"] = self.activation(cache["Z1"])
    cache["Z2"] = dense(self.W2, self.b2, cache["A1"])
    cache["A2"] = self.activation(cache["Z2"])
    return cache
