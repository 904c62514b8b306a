"""Backward through the output sigmoid in two steps: dA2, then dZ2."""


@add_to(NeuralNetwork)
def backward_propagation(self, X, Y, cache):
    m = X.shape[1]
    A1, A2 = cache["A1"], cache["A2"]
    l1 = self.reg.l1_grad(self.W1, self.W2, m)
    l2 = self.reg.l2_grad(self.W1, self.W2, m)
    slope = A2 * (1 - A2)
    safe = np.where(slope > 0, slope, 1)
    dZ2 = np.where(slope > 0, (A2 - Y) / safe * slope, A2 - Y)
    dA1 = self.W2.T @ dZ2
    dZ1 = dA1 * self.activation.prime(cache["Z1"])
    return {
        "dW1": dZ1 @ X.T / m + l1["dW1"] + l2["dW1"],
        "db1": dZ1.sum(1, keepdims=True) / m,
        "dW2": dZ2 @ A1.T / m + l1["dW2"] + l2["dW2"],
        "db2": dZ2.sum(1, keepdims=True) / m,
    }
