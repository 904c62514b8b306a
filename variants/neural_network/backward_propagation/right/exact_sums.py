"""Sums the biases with math.fsum and stacks the columns."""

from math import fsum


@add_to(NeuralNetwork)
def backward_propagation(self, X, Y, cache):
    m = X.shape[1]
    l1 = self.reg.l1_grad(self.W1, self.W2, m)
    l2 = self.reg.l2_grad(self.W1, self.W2, m)
    dZ2 = cache["A2"] - Y
    dZ1 = self.W2.T @ dZ2 * self.activation.prime(cache["Z1"])
    return {
        "db2": np.array([[fsum(row) / m] for row in dZ2]),
        "dW2": np.matmul(dZ2, cache["A1"].T) / m + (l1["dW2"] + l2["dW2"]),
        "db1": np.array([[fsum(row) / m] for row in dZ1]),
        "dW1": np.matmul(dZ1, X.T) / m + (l1["dW1"] + l2["dW1"]),
    }
