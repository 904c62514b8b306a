"""`np.vectorize` around a function that handles one number."""

import math


def sigmoid_of_one_number(x):
    if x < -700:
        return 0.0
    return 1.0 / (1.0 + math.exp(-x))


@add_to(Sigmoid)
def __call__(self, z):
    return np.vectorize(sigmoid_of_one_number, otypes=[float])(z)
