"""Glues ones to the inputs; the last column is the bias gradient."""


@add_to(NeuralNetwork)
def backward_propagation(self, X, Y, cache):
    m = X.shape[1]
    ones = np.ones((1, m))
    l1 = self.reg.l1_grad(self.W1, self.W2, m)
    l2 = self.reg.l2_grad(self.W1, self.W2, m)
    dZ2 = cache["A2"] - Y
    dZ1 = self.W2.T @ dZ2 * self.activation.prime(cache["Z1"])
    full2 = dZ2 @ np.vstack([cache["A1"], ones]).T / m
    full1 = dZ1 @ np.vstack([X, ones]).T / m
    return {
        "dW1": full1[:, :-1] + l1["dW1"] + l2["dW1"],
        "db1": full1[:, -1:],
        "dW2": full2[:, :-1] + l1["dW2"] + l2["dW2"],
        "db2": full2[:, -1:],
    }
