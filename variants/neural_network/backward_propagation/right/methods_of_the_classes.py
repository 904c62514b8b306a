"""Methods are called on the classes, which are looked at first."""


@add_to(NeuralNetwork)
def backward_propagation(self, X, Y, cache):
    m = X.shape[1]
    assert isinstance(self.activation, Sigmoid)
    assert isinstance(self.reg, Regularization)
    penalty, weights = type(self.reg), (self.W1, self.W2, m)
    l1 = penalty.l1_grad(self.reg, *weights)
    l2 = penalty.l2_grad(self.reg, *weights)
    dZ2 = cache["A2"] - Y
    slope = self.activation.__class__.prime(self.activation, cache["Z1"])
    dZ1 = self.W2.T @ dZ2 * slope
    return {
        "dW1": dZ1 @ X.T / m + l1["dW1"] + l2["dW1"],
        "db1": dZ1.sum(axis=1, keepdims=True) / m,
        "dW2": dZ2 @ cache["A1"].T / m + l1["dW2"] + l2["dW2"],
        "db2": dZ2.sum(axis=1, keepdims=True) / m,
    }
