"""Adds the bias in place, to the product and not to the parameter."""


@add_to(NeuralNetwork)
def forward_propagation(self, X):
    Z1 = np.matmul(self.W1, X)
    Z1 += self.b1
    A1 = self.activation(Z1)
    Z2 = np.matmul(self.W2, A1)
    np.add(Z2, self.b2, out=Z2)
    A2 = self.activation(Z2)
    return {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2}
