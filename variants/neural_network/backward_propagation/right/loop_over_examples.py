"""Adds up the gradients of single examples with np.outer."""


@add_to(NeuralNetwork)
def backward_propagation(self, X, Y, cache):
    m = X.shape[1]
    l1 = self.reg.l1_grad(self.W1, self.W2, m)
    l2 = self.reg.l2_grad(self.W1, self.W2, m)
    dW1, dW2 = np.zeros(self.W1.shape), np.zeros(self.W2.shape)
    db1, db2 = np.zeros((len(dW1), 1)), np.zeros((len(dW2), 1))
    for i in range(m):
        delta2 = cache["A2"][:, i] - Y[:, i]
        delta1 = self.W2.T @ delta2 * self.activation.prime(cache["Z1"][:, i])
        dW2 += np.outer(delta2, cache["A1"][:, i]) / m
        db2[:, 0] += delta2 / m
        dW1 += np.outer(delta1, X[:, i]) / m
        db1[:, 0] += delta1 / m
    dW1 += l1["dW1"] + l2["dW1"]
    dW2 += l1["dW2"] + l2["dW2"]
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}
