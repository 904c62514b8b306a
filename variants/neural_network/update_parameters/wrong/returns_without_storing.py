"""Returns the new parameters and leaves the old ones on self."""


@add_to(NeuralNetwork)
def update_parameters(self, grads):
    return {
        "W1": self.W1 - self.learning_rate * grads["dW1"],
        "b1": self.b1 - self.learning_rate * grads["db1"],
        "W2": self.W2 - self.learning_rate * grads["dW2"],
        "b2": self.b2 - self.learning_rate * grads["db2"],
    }
