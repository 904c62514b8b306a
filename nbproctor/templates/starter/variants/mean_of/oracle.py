"""Exact arithmetic with fractions."""


def inputs(rng):
    return (rng.normal(size=rng.integers(1, 9)).tolist(),)


def oracle(numbers):
    return float(sum(map(Fraction, numbers)) / len(numbers))
