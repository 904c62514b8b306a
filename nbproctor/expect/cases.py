"""Cases of a specification: sizes, types, 0 and 1, and small changes."""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np

from nbproctor.expect.comparison import is_same
from nbproctor.expect.numbers import SIZE_OF_DATA, beyond

#: Arguments of a call; the state of the object comes first, if there is one.
Case: TypeAlias = tuple[Any, ...]
Kind: TypeAlias = tuple[str, Literal["C", "F"]]  # a number type and an order in memory
#: In these, numbers have room enough that usual formulas do not overflow.
_ROOMY: tuple[Kind, ...] = (
    ("f8", "C"),
    ("f8", "F"),
    ("f4", "C"),
    ("f4", "F"),
    ("i8", "C"),
    ("i4", "F"),
    ("i2", "C"),
)
_NARROW: Kind = ("i1", "F")
# A size of data has a case by the number of entries, too.
_MOST_ENTRIES = 2**20


def sizes(make: Callable[..., Case], **ranges: tuple[int, int]) -> list[Case]:
    """Return cases of many sizes; `make` makes a case from sizes, by name.

    Each size has a usual number, different from the others, and a limit for `beyond`.
    In the cases, all sizes are usual, equal, 2, or 1; then one size at a time is 1, and
    one at a time is beyond the numbers in the answer. A size of data is also made so
    large that each array with it has one and a half times as many entries as such a
    number.
    """
    usual = {name: size for name, (size, _) in ranges.items()}
    tables = [usual, *(dict.fromkeys(usual, size) for size in (4, 2, 1))]
    for name, (usual_size, most) in ranges.items():
        other_sizes = {1, int(beyond(usual_size, most))} - {usual_size}
        entries = beyond(most, _MOST_ENTRIES)
        if entries > most >= SIZE_OF_DATA:
            least = min(usual.values())
            other_sizes.add(int(entries) // least)
        for size in sorted(other_sizes):
            tables.append(usual | {name: size})
    return [make(**table) for table in tables]


def changed(right: Callable[..., Any], *case: Any) -> list[Case]:
    """Return a case, then more, each with one array or number changed.

    The right answer changes each time; changes without effect on it are left out. An
    array keeps its type, shape, sum, its entries if their order matters, and its text
    if it has more than 1,000 entries. So an answer that caches results by any of these
    returns an old one.
    """
    cases = [case]
    for number, key, part in _parts(case):
        before = right(*cases[-1])
        for new in _others(part):
            other = _with_part(cases[-1], number, key, new)
            if not is_same(right(*other), before, before):
                cases.append(other)
                break
    return cases


def neutral(*case: Any, values: Sequence[float] = (0, 1)) -> list[Case]:
    """Return cases in which one array or number is 0 or 1, and the others are usual.

    `values` are other numbers than 0 and 1, such as nan. An argument that is a number,
    such as a size, becomes only 1, because a formula may have no meaning for 0. In the
    last case, all numbers of the state are 0. No two cases share an array.
    """
    cases = []
    for number, key, part in _parts(case):
        is_number = isinstance(case[number], int | float)
        for value in (1,) if is_number else values:
            new = 0 * part + value
            cases.append(_with_part(case, number, key, new))
    state = case[0]
    if isinstance(state, dict):
        zeros = {
            name: 0.0 if isinstance(part, float) else part
            for name, part in state.items()
        }
        cases.append((zeros, *case[1:]))
    return [*map(copy.deepcopy, cases)]


def kinds(*case: Any, narrow: bool = False) -> list[Case]:
    """Return a case with its arrays in each type that fits, by rows or columns.

    Fractions in arguments also become whole numbers, but fractions in the state of an
    object stay. In the last cases, one argument at a time is whole. With `narrow`,
    there are also types in which usual formulas overflow.
    """
    cases = []
    for kind in (_NARROW, *_ROOMY) if narrow else _ROOMY:
        parts = [
            _in_kind(part, kind, whole=number > 0 or not isinstance(part, Mapping))
            for number, part in enumerate(case)
        ]
        cases.append(tuple(parts))
    for number, part in enumerate(cases[-1]):
        if part is not case[number]:
            cases.append(copy.deepcopy(_with_part(case, number, "", part)))
    return cases


def _in_kind(
    value: Any,
    kind: Kind,
    whole: bool,
) -> Any:
    """Return arrays of a kind, or of another type if this one does not fit."""
    if isinstance(value, Mapping):
        return {key: _in_kind(entry, kind, whole) for key, entry in value.items()}
    if not isinstance(value, np.ndarray):
        return value
    number_type, order = kind
    is_integer = number_type.startswith("i")
    sources = "f"
    if is_integer:
        sources = "iuf" if whole else "iu"
    if value.dtype.kind in sources:
        rounded = np.rint(value) if is_integer else value
        converted = rounded.astype(number_type)
        if np.allclose(converted, rounded):
            value = converted
    return np.array(value, order=order)


def _parts(case: Case) -> Iterator[tuple[int, str, Any]]:
    """Yield the arrays and numbers of a case, each with its position and key."""
    for number, value in enumerate(case):
        parts = value if isinstance(value, dict) else {"": value}
        for key, part in parts.items():
            if isinstance(part, int | float | np.ndarray):
                yield number, key, part


def _with_part(
    case: Case,
    number: int,
    key: str,
    new: Any,
) -> Case:
    """Return a case with another argument, or another entry of one."""
    parts = list(case)
    parts[number] = case[number] | {key: new} if key else new
    return tuple(parts)


def _others(value: Any) -> Iterator[Any]:
    """Yield replacements for an array or number, the most similar first."""
    if not isinstance(value, np.ndarray) or value.size < 2:
        yield value + 1
        return
    for axis in np.argsort(value.shape)[::-1]:
        order = np.arange(value.shape[axis])
        middle = slice(None)
        if len(order) > 7:
            middle = slice(3, -3)
        order[middle] = order[middle][::-1]
        reordered = np.take(value, order, axis)
        yield reordered
        yield 2 * reordered - value  # the same sum, but not of absolute values
