"""Three nested loops and no matrix product at all."""


@add_to(NeuralNetwork)
def forward_propagation(self, X):
    def affine(W, A, b):
        Z = np.zeros((len(W), len(A[0])))
        for unit in range(len(W)):
            for i in range(len(A[0])):
                Z[unit, i] = b[unit, 0]
                for j in range(len(A)):
                    Z[unit, i] += W[unit, j] * A[j, i]
        return Z

    Z1 = affine(self.W1, X, self.b1)
    A1 = self.activation(Z1)
    Z2 = affine(self.W2, A1, self.b2)
    return {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": self.activation(Z2)}
