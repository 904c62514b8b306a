"""Sets a bracket too many and scales the parameter as well."""


@add_to(NeuralNetwork)
def update_parameters(self, grads):
    self.W1 = self.learning_rate * (self.W1 - grads["dW1"])
    self.b1 = self.learning_rate * (self.b1 - grads["db1"])
    self.W2 = self.learning_rate * (self.W2 - grads["dW2"])
    self.b2 = self.learning_rate * (self.b2 - grads["db2"])
