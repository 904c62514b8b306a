"""Four nested loops over examples, units and inputs, no matrix product."""


@add_to(NeuralNetwork)
def backward_propagation(self, X, Y, cache):
    (h, n), k, m = self.W1.shape, len(self.W2), X.shape[1]
    prime = self.activation.prime(cache["Z1"])
    pen1 = self.reg.l1_grad(self.W1, self.W2, m)
    pen2 = self.reg.l2_grad(self.W1, self.W2, m)
    dW1, dW2 = pen1["dW1"] + pen2["dW1"], pen1["dW2"] + pen2["dW2"]
    db1, db2 = np.zeros((h, 1)), np.zeros((k, 1))
    for i in range(m):
        error = [cache["A2"][c, i] - Y[c, i] for c in range(k)]
        for u in range(h):
            back = sum(self.W2[c, u] * error[c] for c in range(k)) * prime[u, i]
            db1[u, 0] += back / m
            for j in range(n):
                dW1[u, j] += back * X[j, i] / m
            for c in range(k):
                dW2[c, u] += error[c] * cache["A1"][u, i] / m
        for c in range(k):
            db2[c, 0] += error[c] / m
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}
