"""Joins all parameters into one vector, steps, and cuts it up again."""


@add_to(NeuralNetwork)
def update_parameters(self, grads):
    names = ["W1", "b1", "W2", "b2"]
    shapes = [np.shape(getattr(self, name)) for name in names]
    theta = np.concatenate([np.ravel(getattr(self, name)) for name in names])
    theta = theta - self.learning_rate * np.concatenate(
        [np.ravel(grads["d" + name]) for name in names]
    )
    ends = np.cumsum([rows * columns for rows, columns in shapes])
    for name, shape, part in zip(names, shapes, np.split(theta, ends[:-1])):
        setattr(self, name, part.reshape(shape))
