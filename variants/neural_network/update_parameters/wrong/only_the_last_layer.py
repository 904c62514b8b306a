"""Updates the output layer only."""


@add_to(NeuralNetwork)
def update_parameters(self, grads):
    self.W2 = self.W2 - self.learning_rate * grads["dW2"]
    self.b2 = self.b2 - self.learning_rate * grads["db2"]
