"""Plain data from subclasses and exceptions, without calling a student's methods."""

from __future__ import annotations

import builtins
import traceback
from collections.abc import Callable
from typing import Any

# What an exception is to the judge: the first of its classes that is built in.
_BUILTIN = {
    name
    for name, kind in vars(builtins).items()
    if isinstance(kind, type) and issubclass(kind, Exception)
}
_BASES = (bool, int, float, complex, str, bytes, list, dict, set, frozenset)


def plain_base(kind: type) -> type | None:
    """Return the built-in class of plain data that a class is derived from."""
    return next((base for base in _BASES if issubclass(kind, base)), None)


def as_base(base: Any, value: Any) -> Any:
    """Convert with the base's own methods, not with those of the student's class."""
    if base in (str, bytes):
        return base.__getitem__(value, slice(None))
    if base is dict:
        return dict(dict.items(value))
    if base in (list, set, frozenset):
        return base(base.__iter__(value))
    if base is complex:
        return complex(float(value.real), float(value.imag))
    return base.__pos__(value)


def told_of(
    error: BaseException, cell_of: Callable[[str], tuple[str, int] | None]
) -> list[Any]:
    """Say what an exception is, and where in the student's cells it was raised.

    Parameters
    ----------
    error
        The exception.
    cell_of
        Tells the cell of a code object's file name, and how many lines it drops.

    Returns
    -------
    list
        Name of the first of its classes that is built in, its own class's name, its
        text, the name of the cell, and the line.
    """
    base = next((k.__name__ for k in type(error).__mro__ if k.__name__ in _BUILTIN), "")
    try:
        text = str(error)
    except BaseException:
        text = "<the exception has no text>"
    cell, line = None, None
    for frame, number in traceback.walk_tb(error.__traceback__):
        found = cell_of(frame.f_code.co_filename)
        if found is not None:
            cell, line = found[0], number + found[1]
    return [base, type(error).__name__[:100], text[:2000], cell, line]
