"""Scales a deep copy of the gradients, so grads stays as it was."""

from copy import deepcopy


@add_to(NeuralNetwork)
def update_parameters(self, grads):
    steps = deepcopy(grads)
    for key in steps:
        steps[key] = steps[key] * self.learning_rate
    self.W1 -= steps["dW1"]
    self.b1 -= steps["db1"]
    self.W2 -= steps["dW2"]
    self.b2 -= steps["db2"]
