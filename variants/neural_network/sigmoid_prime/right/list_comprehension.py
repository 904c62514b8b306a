"""Self-contained: a list over the flat values, reshaped at the end."""

import math


@add_to(Sigmoid)
def prime(self, z):
    flat = [0.25 * (1 - math.tanh(v / 2) ** 2) for v in np.ravel(z)]
    return np.array(flat).reshape(np.shape(z))
