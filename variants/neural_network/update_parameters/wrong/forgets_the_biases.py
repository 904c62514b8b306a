"""Updates the weights and forgets the biases."""


@add_to(NeuralNetwork)
def update_parameters(self, grads):
    self.W1 = self.W1 - self.learning_rate * grads["dW1"]
    self.W2 = self.W2 - self.learning_rate * grads["dW2"]
