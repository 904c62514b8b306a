"""In-place subtraction through the operator module."""

import operator


@add_to(NeuralNetwork)
def update_parameters(self, grads):
    lr = self.learning_rate
    self.W1 = operator.isub(self.W1, lr * grads["dW1"])
    self.W2 = operator.isub(self.W2, lr * grads["dW2"])
    self.b1 = operator.isub(self.b1, lr * grads["db1"])
    self.b2 = operator.isub(self.b2, lr * grads["db2"])
