"""Reuses the activation's own memory, a copy of its making."""


@add_to(Sigmoid)
def prime(self, z):
    s = np.array(self(z), dtype=float)
    s *= 1 - s
    return s
