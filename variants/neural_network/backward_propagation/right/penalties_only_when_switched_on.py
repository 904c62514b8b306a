"""Asks for a penalty's gradient only when its lambda is not zero."""


@add_to(NeuralNetwork)
def backward_propagation(self, X, Y, cache):
    m = Y.shape[1]
    dZ2 = cache["A2"] - Y
    dZ1 = (self.W2.T @ dZ2) * self.activation.prime(cache["Z1"])
    dW1, dW2 = dZ1 @ X.T / m, dZ2 @ cache["A1"].T / m
    if self.reg.lambda_1:
        l1 = self.reg.l1_grad(self.W1, self.W2, m)
        dW1, dW2 = dW1 + l1["dW1"], dW2 + l1["dW2"]
    if self.reg.lambda_2:
        l2 = self.reg.l2_grad(self.W1, self.W2, m)
        dW1, dW2 = dW1 + l2["dW1"], dW2 + l2["dW2"]
    db1 = np.mean(dZ1, axis=1, keepdims=True)
    db2 = np.mean(dZ2, axis=1, keepdims=True)
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}
