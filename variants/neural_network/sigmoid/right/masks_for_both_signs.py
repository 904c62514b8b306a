"""Two formulas, each filled in by a boolean mask where it is stable."""


@add_to(Sigmoid)
def __call__(self, z):
    z = np.asarray(z, dtype=float)
    out = np.empty_like(z)
    positive = z >= 0
    out[positive] = 1 / (1 + np.exp(-z[positive]))
    e = np.exp(z[~positive])
    out[~positive] = e / (1 + e)
    return out
