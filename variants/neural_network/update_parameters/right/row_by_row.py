"""Unit after unit: a row of weights and its bias together."""


@add_to(NeuralNetwork)
def update_parameters(self, grads):
    lr = self.learning_rate
    for W, b, dW, db in (
        (self.W1, self.b1, grads["dW1"], grads["db1"]),
        (self.W2, self.b2, grads["dW2"], grads["db2"]),
    ):
        for unit in range(W.shape[0]):
            W[unit] -= lr * dW[unit]
            b[unit] -= lr * db[unit]
