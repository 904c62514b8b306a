"""Walks the layers backwards, ready for more than two."""


@add_to(NeuralNetwork)
def backward_propagation(self, X, Y, cache):
    m = X.shape[1]
    inputs = {1: X, 2: cache["A1"]}
    l1 = self.reg.l1_grad(self.W1, self.W2, m)
    l2 = self.reg.l2_grad(self.W1, self.W2, m)
    grads, dZ = {}, cache["A2"] - Y
    for layer in (2, 1):
        name = f"dW{layer}"
        grads[name] = dZ @ inputs[layer].T / m + l1[name] + l2[name]
        grads[f"db{layer}"] = dZ.sum(axis=1, keepdims=True) / m
        if layer > 1:
            dZ = getattr(self, f"W{layer}").T @ dZ * self.activation.prime(cache["Z1"])
    return grads
