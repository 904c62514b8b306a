"""`np.frompyfunc` looks like a vectorized function, but its arrays hold Python
objects."""

import math

scalar_sigmoid = np.frompyfunc(lambda x: 0.5 + 0.5 * math.tanh(x / 2), 1, 1)


@add_to(Sigmoid)
def __call__(self, z):
    return scalar_sigmoid(z)
