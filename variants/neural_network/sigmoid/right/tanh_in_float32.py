"""Half a tanh in float32: near z = -10 only the absolute error is small."""

@add_to(Sigmoid)
def __call__(self, z):
    half = np.float32(0.5)
    return half * np.tanh(half * np.asarray(z, dtype=np.float32)) + half
