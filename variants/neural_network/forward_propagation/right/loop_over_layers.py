"""A loop over layer numbers with getattr, ready for more layers."""


@add_to(NeuralNetwork)
def forward_propagation(self, X):
    cache, A = {}, X
    for layer in (1, 2):
        W, b = getattr(self, f"W{layer}"), getattr(self, f"b{layer}")
        cache[f"Z{layer}"] = W @ A + b
        cache[f"A{layer}"] = A = self.activation(cache[f"Z{layer}"])
    return cache
