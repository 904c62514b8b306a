"""Transposes everything and works with examples as rows."""


@add_to(NeuralNetwork)
def backward_propagation(self, X, Y, cache):
    m = X.shape[1]
    l1 = self.reg.l1_grad(self.W1, self.W2, m)
    l2 = self.reg.l2_grad(self.W1, self.W2, m)
    delta2 = cache["A2"].T - Y.T
    delta1 = delta2 @ self.W2 * self.activation.prime(cache["Z1"].T)
    dW2 = (cache["A1"] @ delta2 / m).T + l1["dW2"] + l2["dW2"]
    dW1 = (X @ delta1 / m).T + l1["dW1"] + l2["dW1"]
    db2 = delta2.mean(axis=0).reshape(-1, 1)
    db1 = delta1.mean(axis=0).reshape(-1, 1)
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}
