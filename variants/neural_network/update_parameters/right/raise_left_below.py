"""Leaves the stub's last line below a finished answer."""


@add_to(NeuralNetwork)
def update_parameters(self, grads):
    for name in ("W1", "b1", "W2", "b2"):
        setattr(self, name, getattr(self, name) - self.learning_rate * grads["d" + name])
    raise NotImplementedError  # your code here
