"""Keeps the parameters in float32."""


@add_to(NeuralNetwork)
def update_parameters(self, grads):
    lr = np.float32(self.learning_rate)
    for name in ("W1", "b1", "W2", "b2"):
        new = getattr(self, name).astype(np.float32) - lr * grads["d" + name]
        setattr(self, name, new.astype(np.float32))
