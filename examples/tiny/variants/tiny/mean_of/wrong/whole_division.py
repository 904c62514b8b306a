"""Divides without a remainder."""


def mean_of(numbers):
    return sum(numbers) // len(numbers)
