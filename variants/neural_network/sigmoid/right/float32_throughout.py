"""Everything in single precision."""


@add_to(Sigmoid)
def __call__(self, z):
    z = np.clip(np.asarray(z, dtype=np.float32), -80, 80)
    return np.float32(1) / (np.float32(1) + np.exp(-z))
