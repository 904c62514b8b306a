"""Gradients in float32."""


@add_to(NeuralNetwork)
def backward_propagation(self, X, Y, cache):
    f, m = np.float32, X.shape[1]
    l1 = self.reg.l1_grad(self.W1, self.W2, m)
    l2 = self.reg.l2_grad(self.W1, self.W2, m)
    dZ2 = cache["A2"].astype(f) - Y.astype(f)
    dZ1 = self.W2.T.astype(f) @ dZ2 * self.activation.prime(cache["Z1"]).astype(f)
    return {
        "dW1": (dZ1 @ X.T.astype(f) / f(m) + l1["dW1"] + l2["dW1"]).astype(f),
        "db1": dZ1.mean(axis=1, keepdims=True),
        "dW2": (dZ2 @ cache["A1"].T.astype(f) / f(m) + l1["dW2"] + l2["dW2"]).astype(f),
        "db2": dZ2.mean(axis=1, keepdims=True),
    }
