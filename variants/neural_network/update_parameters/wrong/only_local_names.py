"""Computes new local arrays and never stores them on self."""


@add_to(NeuralNetwork)
def update_parameters(self, grads):
    W1, b1, W2, b2 = self.W1, self.b1, self.W2, self.b2
    W1 = W1 - self.learning_rate * grads["dW1"]
    b1 = b1 - self.learning_rate * grads["db1"]
    W2 = W2 - self.learning_rate * grads["dW2"]
    b2 = b2 - self.learning_rate * grads["db2"]
