"""Unpacks the gradients into local names first."""


@add_to(NeuralNetwork)
def update_parameters(self, grads):
    dW1, db1, dW2, db2 = (grads[key] for key in ("dW1", "db1", "dW2", "db2"))
    alpha = self.learning_rate
    self.W1, self.W2 = self.W1 - dW1 * alpha, self.W2 - dW2 * alpha
    self.b1, self.b2 = self.b1 - db1 * alpha, self.b2 - db2 * alpha
    return
