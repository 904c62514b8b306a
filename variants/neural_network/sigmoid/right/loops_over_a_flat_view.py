"""A plain loop with `math.exp` over the flattened input, reshaped at the end."""

import math


@add_to(Sigmoid)
def __call__(self, z):
    z = np.asarray(z)
    out = np.zeros(z.size)
    for i, value in enumerate(z.ravel()):
        if value >= 0:
            out[i] = 1 / (1 + math.exp(-value))
        else:
            out[i] = math.exp(value) / (1 + math.exp(value))
    return out.reshape(z.shape)
