"""Takes softmax for sigmoid: the entries share one sum of 1."""


@add_to(Sigmoid)
def __call__(self, z):
    e = np.exp(z - np.max(z))
    return e / e.sum()
