"""Draws three straight lines that look like a sigmoid (the "hard sigmoid")."""


@add_to(Sigmoid)
def __call__(self, z):
    return np.clip(0.2 * np.asarray(z) + 0.5, 0, 1)
