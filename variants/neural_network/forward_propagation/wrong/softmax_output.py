"""Uses softmax at the output, as for one class out of many."""


@add_to(NeuralNetwork)
def forward_propagation(self, X):
    Z1 = self.W1 @ X + self.b1
    A1 = self.activation(Z1)
    Z2 = self.W2 @ A1 + self.b2
    exp = np.exp(Z2 - Z2.max(axis=0, keepdims=True))
    A2 = exp / exp.sum(axis=0, keepdims=True)
    return {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2}
