"""`np.frompyfunc` makes objects, which are turned into floats again."""

import math


@add_to(Sigmoid)
def __call__(self, z):
    one = np.frompyfunc(lambda x: 0.5 + 0.5 * math.tanh(x / 2), 1, 1)
    return np.asarray(one(z), dtype=np.float64)
