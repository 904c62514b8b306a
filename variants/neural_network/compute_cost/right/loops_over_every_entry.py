"""Two plain loops and `math.log`."""

import math


def compute_cost(A2, Y):
    k, m = Y.shape
    cost = 0.0
    for j in range(k):
        for i in range(m):
            a = min(max(float(A2[j, i]), 1e-12), 1 - 1e-12)
            cost -= math.log(a) if Y[j, i] else math.log(1 - a)
    return cost / m
