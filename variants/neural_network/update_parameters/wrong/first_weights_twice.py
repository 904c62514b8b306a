"""Copies a line and updates W1 twice and W2 never."""


@add_to(NeuralNetwork)
def update_parameters(self, grads):
    self.W1 = self.W1 - self.learning_rate * grads["dW1"]
    self.b1 = self.b1 - self.learning_rate * grads["db1"]
    self.W1 = self.W1 - self.learning_rate * grads["dW1"]
    self.b2 = self.b2 - self.learning_rate * grads["db2"]
