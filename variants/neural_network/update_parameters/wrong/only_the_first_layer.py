"""Updates the first layer only."""


@add_to(NeuralNetwork)
def update_parameters(self, grads):
    self.W1 = self.W1 - self.learning_rate * grads["dW1"]
    self.b1 = self.b1 - self.learning_rate * grads["db1"]
