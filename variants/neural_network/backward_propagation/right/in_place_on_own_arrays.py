"""Scales and adds in place, only on arrays it made itself."""


@add_to(NeuralNetwork)
def backward_propagation(self, X, Y, cache):
    m = X.shape[1]
    l1 = self.reg.l1_grad(self.W1, self.W2, m)
    l2 = self.reg.l2_grad(self.W1, self.W2, m)
    dZ2 = np.array(cache["A2"], dtype=float)
    dZ2 -= Y
    dZ1 = self.W2.T @ dZ2
    dZ1 *= self.activation.prime(cache["Z1"])
    dW1, dW2 = dZ1 @ X.T, dZ2 @ cache["A1"].T
    for dW, name in ((dW1, "dW1"), (dW2, "dW2")):
        dW /= m
        dW += l1[name]
        dW += l2[name]
    db1, db2 = (np.add.reduce(dZ, axis=1, keepdims=True) / m for dZ in (dZ1, dZ2))
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}
