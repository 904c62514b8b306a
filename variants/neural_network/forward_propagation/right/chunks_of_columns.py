"""Goes through the examples in chunks and glues them together."""


@add_to(NeuralNetwork)
def forward_propagation(self, X):
    parts = {"Z1": [], "A1": [], "Z2": [], "A2": []}
    for start in range(0, X.shape[1], 64):
        parts["Z1"].append(self.W1 @ X[:, start : start + 64] + self.b1)
        parts["A1"].append(self.activation(parts["Z1"][-1]))
        parts["Z2"].append(self.W2 @ parts["A1"][-1] + self.b2)
        parts["A2"].append(self.activation(parts["Z2"][-1]))
    return {name: np.concatenate(part, axis=1) for name, part in parts.items()}
