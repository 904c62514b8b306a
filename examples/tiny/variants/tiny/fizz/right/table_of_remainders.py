"""Looks the answer up by the remainder."""


def fizz(n):
    return ["fizz", f"{n}", f"{n}"][n % 3]
