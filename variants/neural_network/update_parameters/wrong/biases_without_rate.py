"""Scales the weights' step and forgets the learning rate for the biases."""


@add_to(NeuralNetwork)
def update_parameters(self, grads):
    self.W1 = self.W1 - self.learning_rate * grads["dW1"]
    self.b1 = self.b1 - grads["db1"]
    self.W2 = self.W2 - self.learning_rate * grads["dW2"]
    self.b2 = self.b2 - grads["db2"]
