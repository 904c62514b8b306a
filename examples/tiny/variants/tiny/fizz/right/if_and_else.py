"""The two cases one after the other."""


def fizz(n):
    if n % 3:
        return str(n)
    return "fizz"
