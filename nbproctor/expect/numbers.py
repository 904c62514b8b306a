"""How large a case is: beyond all numbers that stand in the student's answer."""

import re
from collections.abc import Iterator

from nbproctor.cells import compile_code

#: In the judge, the numbers that stand in the answer, while it is judged.
answer_numbers: frozenset[float] = frozenset()
# Numbers, but no sizes: in docstrings and comments, and the seed of a generator.
_NO_SIZES = re.compile(
    r'"""(?s:.*?)"""|#.*|\b(default_rng|RandomState|seed)\(\s*\d+\s*\)'
)
_NUMBER = r"(?:0x[\da-f]{1,8}|(?:0|[1-9]\d{0,8})(?:\.\d*)?(?:e[-+]?\d{1,2})?)"
# What Python computes before the answer runs: ``4 * 1024``, ``2**10 - 1``, ``1 << 12``.
_CONSTANT = re.compile(
    rf"(?<![\w.]){_NUMBER}(?: *(?:\*\*|<<|[-+*]) *{_NUMBER}){{0,4}}(?![\w.])", re.I
)
# How far number types count, by all names that NumPy knows them by, and where what
# begins again does so a second time.
_COUNTS_TO = {
    r"\b(int8|byte|i1)\b": (2**7 - 1, 2**8 - 1),
    r"\b(uint8|ubyte|u1)\b": (2**8 - 1,),
    r"\b(int16|short|i2)\b": (2**15 - 1, 2**16 - 1),
    r"\b(uint16|ushort|u2)\b": (2**16 - 1,),
    r"\b(float16|half|f2)\b": (2**11,),
}


def beyond(usual: float, most: float) -> float:
    """Return how large something is in a case: `usual`, or beyond the answer's numbers.

    A kernel does not know these. In grading, it is two more than the largest number up
    to `most` that stands in the student's answer: so what is different from some number
    on is tried there, be it a size or, counted from 0, an index.
    """
    larger = [int(number) + 2 for number in answer_numbers if usual <= number <= most]
    return max(larger, default=usual)


def numbers_in(text: str) -> Iterator[float]:
    """Yield the numbers in Python code, and how far its number types count.

    A student wrote it: only a few numbers with operators between them are parsed.
    """
    code = _NO_SIZES.sub("", text)
    for constant in _CONSTANT.findall(code.replace("_", "")):
        for expression in (constant, *re.findall(_NUMBER, constant, re.I)):
            yield from compile_code(expression, "<number>", "eval").co_consts
    for names, limits in _COUNTS_TO.items():
        if re.search(names, code):
            yield from limits
