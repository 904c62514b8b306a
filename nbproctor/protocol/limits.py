"""How much a message may hold: both sides of the codec keep to these limits."""

from __future__ import annotations

from typing import Any

import numpy as np

MAX_BYTES = 256 << 20  # of one message; a student process has 1 GiB
MAX_TEXT = 32 << 20  # of its JSON part
MAX_DEPTH = 40
# Numbers of all ranges, and rows and columns of all arrays with nothing in them: short
# to say but long to count with; no signal ends ``sum(range(10**15))``.
MAX_RANGE = 1 << 24
MAX_BITS = 1 << 20
MAX_KEYS = 50_000  # of all its dictionaries and sets
MAX_PARTS = 1 << 20  # of a message: containers, arrays, handles
MAX_NUMBERS = 1 << 22  # in lists of numbers only
MAX_COMMAS = 1 << 22  # of the JSON part
ALIGN = 16
PLAIN = frozenset((type(None), bool, float, str))
# Only native, fixed-size numbers and dates: what a dtype string from outside may say.
_UNITS = ("Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns")
_DATES = [f"{kind}8[{unit}]" for kind in "Mm" for unit in _UNITS]
KINDS = [np.dtype(code) for code in (*"?bhilqBHILQefdgFDG", *_DATES)]
DTYPES = {code: np.dtype(code) for code in sorted({kind.str[1:] for kind in KINDS})}
CODES = {kind: kind.str[1:] for kind in KINDS}
# Lists of numbers only: dtype → type code of `array` and of `memoryview`.
NUMBERS: dict[str, Any] = {"f8": "d", "i8": "q"}


def code_of(dtype: np.dtype[Any]) -> str:
    """Return what says a dtype of numbers or bytes in a message."""
    return dtype.str[1:]
