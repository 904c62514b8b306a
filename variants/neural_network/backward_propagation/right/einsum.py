"""All sums over examples as einsum."""


@add_to(NeuralNetwork)
def backward_propagation(self, X, Y, cache):
    m = X.shape[1]
    l1 = self.reg.l1_grad(self.W1, self.W2, m)
    l2 = self.reg.l2_grad(self.W1, self.W2, m)
    dZ2 = cache["A2"] - Y
    dZ1 = np.einsum("kh,km,hm->hm", self.W2, dZ2, self.activation.prime(cache["Z1"]))
    dW2 = np.einsum("km,hm->kh", dZ2, cache["A1"]) / m + l1["dW2"] + l2["dW2"]
    dW1 = np.einsum("hm,nm->hn", dZ1, X) / m + l1["dW1"] + l2["dW1"]
    db2 = np.einsum("km->k", dZ2)[:, None] / m
    db1 = np.einsum("hm->h", dZ1)[:, None] / m
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}
