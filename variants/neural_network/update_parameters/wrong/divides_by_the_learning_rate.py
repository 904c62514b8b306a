"""Divides the gradient by the learning rate."""


@add_to(NeuralNetwork)
def update_parameters(self, grads):
    self.W1 = self.W1 - grads["dW1"] / self.learning_rate
    self.b1 = self.b1 - grads["db1"] / self.learning_rate
    self.W2 = self.W2 - grads["dW2"] / self.learning_rate
    self.b2 = self.b2 - grads["db2"] / self.learning_rate
