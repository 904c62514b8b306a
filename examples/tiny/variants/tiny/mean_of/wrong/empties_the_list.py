"""Takes the numbers out of the caller's list."""


def mean_of(numbers):
    count, total = len(numbers), 0
    while numbers:
        total += numbers.pop()
    return total / count
