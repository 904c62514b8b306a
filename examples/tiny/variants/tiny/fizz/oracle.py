"""Three divides a number if it divides the sum of its digits."""


def inputs(rng):
    return (int(rng.integers(-999, 1000)),)


def oracle(n):
    digits = sum(map(int, str(abs(n))))
    return "fizz" if digits in range(0, 30, 3) else str(n)
