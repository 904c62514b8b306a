"""Saves memory with in-place operations, on copies of its own."""


def compute_cost(A2, Y):
    p = A2.astype(float)
    flip = Y == 0
    p[flip] = 1 - p[flip]
    np.maximum(p, 1e-12, out=p)
    np.log(p, out=p)
    return p.sum() / -Y.shape[1]
