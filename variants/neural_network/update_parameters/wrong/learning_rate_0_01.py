"""Hard-codes the learning rate 0.01."""


@add_to(NeuralNetwork)
def update_parameters(self, grads):
    self.W1 = self.W1 - 0.01 * grads["dW1"]
    self.b1 = self.b1 - 0.01 * grads["db1"]
    self.W2 = self.W2 - 0.01 * grads["dW2"]
    self.b2 = self.b2 - 0.01 * grads["db2"]
