"""A function for the gradients of one layer, defined in the same cell."""


def layer_gradients(dZ, inputs):
    m = inputs.shape[1]
    return dZ.dot(inputs.T) / m, dZ.sum(1).reshape(-1, 1) / m


@add_to(NeuralNetwork)
def backward_propagation(self, X, Y, cache):
    m = len(X[0])
    l1 = self.reg.l1_grad(self.W1, self.W2, m)
    l2 = self.reg.l2_grad(self.W1, self.W2, m)
    dZ2 = cache["A2"] - Y
    dW2, db2 = layer_gradients(dZ2, cache["A1"])
    dZ1 = self.W2.T.dot(dZ2) * self.activation.prime(cache["Z1"])
    dW1, db1 = layer_gradients(dZ1, X)
    dW1, dW2 = dW1 + l1["dW1"] + l2["dW1"], dW2 + l1["dW2"] + l2["dW2"]
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}
