"""Moves the mean a little with every number."""


def mean_of(numbers):
    mean = 0.0
    for count, number in enumerate(numbers, 1):
        mean += (number - mean) / count
    return mean
