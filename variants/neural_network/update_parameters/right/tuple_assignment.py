"""All four in one tuple assignment."""


@add_to(NeuralNetwork)
def update_parameters(self, grads):
    lr = self.learning_rate
    self.W1, self.b1, self.W2, self.b2 = (
        self.W1 - lr * grads["dW1"],
        self.b1 - lr * grads["db1"],
        self.W2 - lr * grads["dW2"],
        self.b2 - lr * grads["db2"],
    )
