"""Sums over examples as a product with a column of ones."""


@add_to(NeuralNetwork)
def backward_propagation(self, X, Y, cache):
    m = X.shape[1]
    ones = np.ones((m, 1))
    l1 = self.reg.l1_grad(self.W1, self.W2, m)
    l2 = self.reg.l2_grad(self.W1, self.W2, m)
    dZ2 = cache["A2"] - Y
    dZ1 = np.multiply(self.W2.T @ dZ2, self.activation.prime(cache["Z1"]))
    return {
        "dW1": dZ1 @ X.T / m + l1["dW1"] + l2["dW1"],
        "db1": dZ1 @ ones / m,
        "dW2": dZ2 @ cache["A1"].T / m + l1["dW2"] + l2["dW2"],
        "db2": dZ2 @ ones / m,
    }
