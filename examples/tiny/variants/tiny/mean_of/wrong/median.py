"""Takes the middle number, and sorts the caller's list for it."""


def mean_of(numbers):
    numbers.sort()
    return numbers[len(numbers) // 2]
