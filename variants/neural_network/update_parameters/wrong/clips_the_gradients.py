"""Clips the gradients to plus or minus 0.1 so that nothing explodes."""


@add_to(NeuralNetwork)
def update_parameters(self, grads):
    self.W1 = self.W1 - self.learning_rate * np.clip(grads["dW1"], -0.1, 0.1)
    self.b1 = self.b1 - self.learning_rate * np.clip(grads["db1"], -0.1, 0.1)
    self.W2 = self.W2 - self.learning_rate * np.clip(grads["dW2"], -0.1, 0.1)
    self.b2 = self.b2 - self.learning_rate * np.clip(grads["db2"], -0.1, 0.1)
