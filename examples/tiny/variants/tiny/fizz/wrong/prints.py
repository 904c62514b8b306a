"""Prints the answer instead of returning it."""


def fizz(n):
    print("fizz" if n % 3 == 0 else n)
