"""Results that are kept for the texts of cells: most are the same in a whole class."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar

MAX_TEXTS = 2_000  # more than an assignment has cells
MAX_CHARS = 10_000  # with the number of texts, it bounds the memory

Result = TypeVar("Result")


def kept(function: Callable[[str], Result]) -> Callable[[str], Result]:
    """Keep what a pure function says of short texts; its result must be immutable."""
    remembering = lru_cache(maxsize=MAX_TEXTS)(function)

    @wraps(function)
    def call(text: str) -> Result:
        return remembering(text) if len(text) <= MAX_CHARS else function(text)

    return call
