"""One line for each formula, each divided by m: what most students write."""


@add_to(NeuralNetwork)
def backward_propagation(self, X, Y, cache):
    m = X.shape[1]
    l1 = self.reg.l1_grad(self.W1, self.W2, m)
    l2 = self.reg.l2_grad(self.W1, self.W2, m)
    dZ2 = cache["A2"] - Y
    dW2 = dZ2 @ cache["A1"].T / m + l1["dW2"] + l2["dW2"]
    db2 = np.sum(dZ2, axis=1, keepdims=True) / m
    dZ1 = self.W2.T @ dZ2 * self.activation.prime(cache["Z1"])
    dW1 = dZ1 @ X.T / m + l1["dW1"] + l2["dW1"]
    db1 = np.sum(dZ1, axis=1, keepdims=True) / m
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}
