"""Multiplies the gradients in place and so changes the caller's dict."""


@add_to(NeuralNetwork)
def update_parameters(self, grads):
    for key in grads:
        grads[key] *= self.learning_rate
    self.W1 = self.W1 - grads["dW1"]
    self.b1 = self.b1 - grads["db1"]
    self.W2 = self.W2 - grads["dW2"]
    self.b2 = self.b2 - grads["db2"]
