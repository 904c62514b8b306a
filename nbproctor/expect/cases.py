"""Cases of a specification: of all sizes, and each but little changed from another."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from nbproctor.expect.specification import Case, beyond, is_same


def sizes(make: Callable[..., Case], **ranges: tuple[int, int]) -> list[Case]:
    """Return cases of all kinds of sizes; `make` makes one from sizes, by their names.

    Each size has its usual number, which should be its own, and the most that `beyond`
    may make of it. All are usual, equal, or 1; each is 1 alone, and beyond the answer's
    numbers alone.
    """
    usual = {name: size for name, (size, _) in ranges.items()}
    tables = [usual, dict.fromkeys(usual, 4), dict.fromkeys(usual, 1)]
    for name, bounds in ranges.items():
        tables.append(usual | {name: 1})
        if beyond(*bounds) > usual[name]:
            tables.append(usual | {name: int(beyond(*bounds))})
    return [make(**table) for table in tables]


def changed(right: Callable[..., Any], *case: Any) -> list[Case]:
    """Return a case, then more, each with one array or number changed from the last.

    The right answer is another one each time; what does not change it stays. An array
    keeps its type, its shape, its sum, its entries if their order matters, and its text
    if it has more than 1,000: so whatever of it an answer is remembered by, it is old.
    """
    cases = [case]
    for number, value in enumerate(case):
        parts = value.items() if isinstance(value, dict) else [("", value)]
        for key, part in parts:
            *before, last = cases[-1][: number + 1]
            for new in _others(part):
                entry = last | {key: new} if key else new
                other = (*before, entry, *case[number + 1 :])
                answers = right(*other), right(*cases[-1])
                if not is_same(*answers, answers[0]):
                    cases.append(other)
                    break
    return cases


def _others(value: Any) -> Iterator[Any]:
    """Yield others in the place of an array or number, the more alike ones first."""
    if isinstance(value, np.ndarray) and value.size > 1:
        for axis in np.argsort(value.shape)[::-1]:
            order = np.arange(value.shape[axis])
            middle = slice(3, -3) if len(order) > 7 else slice(None)
            order[middle] = order[middle][::-1]
            reordered = np.take(value, order, axis)
            yield reordered
            yield 2 * reordered - value  # the same sum, but not of absolute values
    elif isinstance(value, int | float | np.ndarray):
        yield value + 1
