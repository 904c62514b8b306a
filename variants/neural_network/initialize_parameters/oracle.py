"""Shapes and biases for random sizes; what the weights are is drawn, not fixed."""


def inputs(rng):
    return tuple(int(size) for size in rng.integers(1, 40, size=3))


def answer(n, h, k):
    network = NeuralNetwork.__new__(NeuralNetwork)
    network.n_features, network.n_hidden_units, network.n_classes = n, h, k
    network.initialize_parameters()
    W1, W2 = np.asarray(network.W1), np.asarray(network.W2)
    small = max(abs(W1).max(), abs(W2).max()) < 0.1
    varied = W1.size == 1 or W1.std() > 0
    shapes = [list(W1.shape), list(W2.shape)]
    return shapes, network.b1, network.b2, int(small and varied)


def oracle(n, h, k):
    return [[h, n], [k, h]], np.zeros((h, 1)), np.zeros((k, 1)), 1
