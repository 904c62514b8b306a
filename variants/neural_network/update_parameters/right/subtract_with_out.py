"""np.subtract with an output array."""


@add_to(NeuralNetwork)
def update_parameters(self, grads):
    for name in ["W1", "b1", "W2", "b2"]:
        parameter = getattr(self, name)
        step = np.multiply(self.learning_rate, grads[f"d{name}"])
        np.subtract(parameter, step, out=parameter)
