"""A descent function defined in the same cell."""


def descend(parameter, gradient, rate):
    return parameter - rate * gradient


@add_to(NeuralNetwork)
def update_parameters(self, grads):
    self.W1 = descend(self.W1, grads["dW1"], self.learning_rate)
    self.b1 = descend(self.b1, grads["db1"], self.learning_rate)
    self.W2 = descend(self.W2, grads["dW2"], rate=self.learning_rate)
    self.b2 = descend(self.b2, grads["db2"], rate=self.learning_rate)
