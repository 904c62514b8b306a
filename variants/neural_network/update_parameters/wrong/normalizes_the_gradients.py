"""Divides each gradient by its norm."""


@add_to(NeuralNetwork)
def update_parameters(self, grads):
    self.W1 = self.W1 - self.learning_rate * grads["dW1"] / np.linalg.norm(grads["dW1"])
    self.b1 = self.b1 - self.learning_rate * grads["db1"] / np.linalg.norm(grads["db1"])
    self.W2 = self.W2 - self.learning_rate * grads["dW2"] / np.linalg.norm(grads["dW2"])
    self.b2 = self.b2 - self.learning_rate * grads["db2"] / np.linalg.norm(grads["db2"])
