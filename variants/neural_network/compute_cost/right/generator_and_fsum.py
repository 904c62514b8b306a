"""Adds the terms exactly with `math.fsum` over a generator."""

from math import fsum, log


def compute_cost(A2, Y):
    pairs = zip(A2.ravel().tolist(), Y.ravel().tolist())
    terms = (log(max(a if y else 1 - a, 1e-12)) for a, y in pairs)
    return -fsum(terms) / A2.shape[1]
