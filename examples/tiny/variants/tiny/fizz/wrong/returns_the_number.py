"""Forgets to turn the number into text."""


def fizz(n):
    return "fizz" if n % 3 == 0 else n
