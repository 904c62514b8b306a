"""Uses `math.exp`, which takes one number and overflows with an exception."""

import math


@add_to(Sigmoid)
def __call__(self, z):
    return 1 / (1 + math.exp(-z))
