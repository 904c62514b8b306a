"""Pops the gradients out of the caller's dict."""


@add_to(NeuralNetwork)
def update_parameters(self, grads):
    for name in ("W1", "b1", "W2", "b2"):
        step = self.learning_rate * grads.pop("d" + name)
        setattr(self, name, getattr(self, name) - step)
