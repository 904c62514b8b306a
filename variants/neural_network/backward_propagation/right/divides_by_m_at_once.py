"""Divides dZ2 by m once, and everything behind it inherits the factor."""


@add_to(NeuralNetwork)
def backward_propagation(self, X, Y, cache):
    m = X.shape[1]
    l1 = self.reg.l1_grad(self.W1, self.W2, m)
    l2 = self.reg.l2_grad(self.W1, self.W2, m)
    dZ2 = (cache["A2"] - Y) / m
    dZ1 = self.W2.T @ dZ2 * self.activation.prime(cache["Z1"])
    dW2 = dZ2 @ cache["A1"].T + l1["dW2"] + l2["dW2"]
    dW1 = dZ1 @ X.T + l1["dW1"] + l2["dW1"]
    db2 = dZ2.sum(axis=1, keepdims=True)
    db1 = dZ1.sum(axis=1, keepdims=True)
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}
