"""Takes the derivative from the cached activation: A1 * (1 - A1)."""


@add_to(NeuralNetwork)
def backward_propagation(self, X, Y, cache):
    m, A1 = X.shape[1], cache["A1"]
    dZ2 = cache["A2"] - Y
    dZ1 = self.W2.T @ dZ2 * A1 * (1 - A1)
    grads = {
        "dW1": dZ1 @ X.T / m,
        "db1": dZ1.sum(axis=1, keepdims=True) / m,
        "dW2": dZ2 @ A1.T / m,
        "db2": dZ2.sum(axis=1, keepdims=True) / m,
    }
    for penalty in (self.reg.l1_grad, self.reg.l2_grad):
        for name, value in penalty(self.W1, self.W2, m).items():
            grads[name] = grads[name] + value
    return grads
