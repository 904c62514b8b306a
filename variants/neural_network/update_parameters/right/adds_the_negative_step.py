"""Adds minus the learning rate times the gradient."""


@add_to(NeuralNetwork)
def update_parameters(self, grads):
    descent = -self.learning_rate
    self.b2 = descent * grads["db2"] + self.b2
    self.W2 = descent * grads["dW2"] + self.W2
    self.b1 = descent * grads["db1"] + self.b1
    self.W1 = descent * grads["dW1"] + self.W1
