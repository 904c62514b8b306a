"""One unit after the other, rows stacked at the end."""


@add_to(NeuralNetwork)
def forward_propagation(self, X):
    def layer(W, b, A):
        rows = [weights @ A + bias for weights, bias in zip(W, b)]
        Z = np.vstack(rows)
        return Z, np.vstack([self.activation(row) for row in rows])

    Z1, A1 = layer(self.W1, self.b1, X)
    Z2, A2 = layer(self.W2, self.b2, A1)
    return {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2}
