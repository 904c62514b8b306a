"""Divides the gradients by the number of their columns as if it were m."""


@add_to(NeuralNetwork)
def update_parameters(self, grads):
    self.W1 = self.W1 - self.learning_rate * grads["dW1"] / grads["dW1"].shape[1]
    self.b1 = self.b1 - self.learning_rate * grads["db1"] / grads["db1"].shape[1]
    self.W2 = self.W2 - self.learning_rate * grads["dW2"] / grads["dW2"].shape[1]
    self.b2 = self.b2 - self.learning_rate * grads["db2"] / grads["db2"].shape[1]
