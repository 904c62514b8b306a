"""Products as tensordot over the axis of the examples."""


@add_to(NeuralNetwork)
def backward_propagation(self, X, Y, cache):
    m = cache["A2"].shape[1]
    pens = [g(self.W1, self.W2, m) for g in (self.reg.l1_grad, self.reg.l2_grad)]
    dZ2 = np.subtract(cache["A2"], Y)
    dZ1 = np.tensordot(self.W2, dZ2, axes=(0, 0)) * self.activation.prime(cache["Z1"])
    dW2 = np.tensordot(dZ2, cache["A1"], axes=(1, 1)) / m + sum(p["dW2"] for p in pens)
    dW1 = np.tensordot(dZ1, X, axes=(1, 1)) / m + sum(p["dW1"] for p in pens)
    db2 = np.average(dZ2, axis=1)[:, np.newaxis]
    db1 = np.average(dZ1, axis=1)[:, np.newaxis]
    return dict(dW1=dW1, db1=db1, dW2=dW2, db2=db2)
