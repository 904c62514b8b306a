"""Prints the answer and takes that for returning it."""


@add_to(Sigmoid)
def __call__(self, z):
    print(1 / (1 + np.exp(-z)))
