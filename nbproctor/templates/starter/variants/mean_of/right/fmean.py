"""The standard library knows how."""

from statistics import fmean


def mean_of(numbers):
    return fmean(numbers)
