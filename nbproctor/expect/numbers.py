"""Sizes of cases: beyond all numbers in the student's answer."""

import ast
import re
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from itertools import combinations
from typing import Any

from nbproctor.cells import CellText, compile_code

#: In the judge, the numbers in the answer that is being judged.
answer_numbers: frozenset[float] = frozenset()
#: A size with such a limit is one of data.
SIZE_OF_DATA = 10_000
_MOST_PRODUCT = 100_000
_MOST_FACTORS = 100
# A number, but no size.
_SEED = re.compile(r"\b(default_rng|RandomState|seed)\(\s*\d+\s*\)")
# Names that NumPy has for a number type → the last numbers before counting in this type
# overflows, for the first and for the second time.
_COUNTS_TO = {
    r"\b(int8|byte|i1)\b": (2**7 - 1, 2**8 - 1),
    r"\b(uint8|ubyte|u1)\b": (2**8 - 1,),
    r"\b(int16|short|i2)\b": (2**15 - 1, 2**16 - 1),
    r"\b(uint16|ushort|u2)\b": (2**16 - 1,),
    r"\b(float16|half|f2)\b": (2**11,),
}


def beyond(usual: float, most: float) -> float:
    """Return the size of something in a case: `usual`, or beyond the answer's numbers.

    A kernel does not know these numbers, and always returns `usual`. In grading, it is
    half as large again as the largest number up to `most` in the student's answer. So
    an answer that behaves differently from some number on is tested there, and a mean
    shows it. A size of data, with a `most` of 10,000 or more, is also beyond products
    of two numbers: an answer may take ten blocks of 1,000.
    """
    largest = _largest(answer_numbers, most)
    return int(1.5 * largest) + 2 if largest >= usual else usual


@lru_cache(maxsize=1024)  # cases are made again for each property
def _largest(numbers: frozenset[float], most: float) -> float:
    """Return the largest number up to `most`; of data, also of products of two."""
    sizes = [0.0, *sorted(number for number in numbers if 1 <= number <= most)]
    if most >= SIZE_OF_DATA:
        products = (a * b for a, b in combinations(sizes[-_MOST_FACTORS:], 2))
        limit = min(most, _MOST_PRODUCT)
        sizes += [product for product in products if product <= limit]
    return max(sizes)


@lru_cache(maxsize=64)  # many tests judge one answer
def numbers_in(text: str) -> frozenset[float]:
    """Return the numbers in Python code, and the limits of its number types.

    They include numbers that Python computes when it compiles, as in ``4 * 1024``.
    """
    code = _SEED.sub("seed()", text)
    tree = CellText.parse(code).tree or ast.Module([], [])
    constants = [getattr(node, "value", 0) for node in ast.walk(tree)]
    with suppress(SyntaxError, ValueError, RecursionError):  # a line out of place
        constants += _constants_in(compile_code(tree, "<numbers>"))
    numbers = {constant for constant in constants if type(constant) in (int, float)}
    for names, limits in _COUNTS_TO.items():
        if re.search(names, code):
            numbers.update(limits)
    return frozenset(numbers)


def _constants_in(value: Any) -> Iterator[Any]:
    """Yield the constants of compiled code, and of the code and tuples in it."""
    parts = getattr(value, "co_consts", value)
    if isinstance(parts, tuple):
        for part in parts:
            yield from _constants_in(part)
    else:
        yield value
