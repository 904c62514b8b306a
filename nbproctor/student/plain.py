"""What the judge is told of objects, made without the methods of a student's."""

from __future__ import annotations

import builtins
import traceback
from collections.abc import Callable
from typing import Any

from nbproctor.protocol.objects import known_base

# What an exception is to the judge: the first of its classes that is built in.
_BUILTIN = {
    name
    for name, kind in vars(builtins).items()
    if isinstance(kind, type) and issubclass(kind, Exception)
}
_BASES = (bool, int, float, complex, str, bytes, list, dict, set, frozenset)


def plain_base(kind: type) -> type | None:
    """Return the built-in class of plain data that a class is derived from."""
    if not issubclass(kind, _BASES):
        return None
    return next(base for base in _BASES if issubclass(kind, base))


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


def about_error_class(kind: Any) -> tuple[str, str, tuple[type, ...]]:
    """Return name, built-in class and own bases of a class of exceptions."""
    bases = type.__dict__["__bases__"].__get__(kind)  # whatever its metaclass says
    inner = tuple(base for base in bases if issubclass(base, Exception))
    own = () if kind.__module__ == "builtins" else inner
    return str(kind.__name__)[:100], builtin_of(kind), own


def library_of(value: Any) -> tuple[str, str]:
    """Return which class of a library an object has to do with, and what."""
    if issubclass(type(value), type):
        name, exact = known_base(value)
        return name, "class" if exact else "derived"
    name, exact = known_base(type(value))
    return name, "exact" if exact else "object"


def builtin_of(kind: type) -> str:
    """Return the name of the first of a class's bases that is a built-in exception."""
    return next((k.__name__ for k in kind.__mro__ if k.__name__ in _BUILTIN), "")


def library_error(error: BaseException) -> str | None:
    """Return module and name of an exception's class, if it is a library's."""
    kind = type(error)
    names = kind.__module__, kind.__qualname__
    known = all(type(name) is str for name in names) and kind.__module__ != "builtins"
    return ":".join(names)[:200] if known else None


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
    base = builtin_of(type(error))
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
