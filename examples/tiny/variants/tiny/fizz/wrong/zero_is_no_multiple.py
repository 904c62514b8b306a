"""Thinks that zero is not a multiple of three."""


def fizz(n):
    return "fizz" if n and n % 3 == 0 else str(n)
