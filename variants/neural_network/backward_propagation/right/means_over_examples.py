"""Means instead of sums: every gradient is a mean over the last axis."""


@add_to(NeuralNetwork)
def backward_propagation(self, X, Y, cache):
    m = X.shape[1]
    l1 = self.reg.l1_grad(self.W1, self.W2, m)
    l2 = self.reg.l2_grad(self.W1, self.W2, m)
    dZ2 = cache["A2"] - Y
    dZ1 = (self.W2.T @ dZ2) * self.activation.prime(cache["Z1"])
    dW2 = (dZ2[:, None, :] * cache["A1"][None, :, :]).mean(axis=-1)
    dW1 = (dZ1[:, None, :] * X[None, :, :]).mean(axis=-1)
    return {
        "dW1": dW1 + l1["dW1"] + l2["dW1"],
        "dW2": dW2 + l1["dW2"] + l2["dW2"],
        "db1": dZ1.mean(axis=-1, keepdims=True),
        "db2": dZ2.mean(axis=-1, keepdims=True),
    }
