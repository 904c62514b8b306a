"""Subtracts the parameter itself instead of its gradient."""


@add_to(NeuralNetwork)
def update_parameters(self, grads):
    self.W1 = self.W1 - self.learning_rate * self.W1
    self.b1 = self.b1 - self.learning_rate * self.b1
    self.W2 = self.W2 - self.learning_rate * self.W2
    self.b2 = self.b2 - self.learning_rate * self.b2
