"""Named tuples of the student's, as both sides decode them."""

from __future__ import annotations

import functools
import unicodedata
from collections import namedtuple
from collections.abc import Iterable
from keyword import iskeyword
from typing import Any, TypeGuard

MAX_NAMES, MAX_NAME = 100, 100  # of one class, characters of one name


class StudentTuple:
    """Marks a decoded copy of a named tuple whose class stays with the student.

    Attributes
    ----------
    _nbproctor_number
        Number of the original in the student process; none if this is no copy of an
        original, as after ``_replace``. (No item can have a name that begins with an
        underscore.)
    """

    _nbproctor_number: int | None = None


def are_names(names: object) -> TypeGuard[tuple[str, ...]]:
    """Whether the items of a named tuple can have these names."""
    return (
        type(names) is tuple
        and len(names) <= MAX_NAMES
        and len(set(names)) == len(names)
        and all(
            type(name) is str
            and name.isidentifier()
            and name[0] != "_"
            and not iskeyword(name)
            and len(name) <= MAX_NAME
            and unicodedata.is_normalized("NFKC", name)
            for name in names
        )
    )


def student_tuple(
    number: int, title: str, names: tuple[str, ...], items: Iterable[Any]
) -> Any:
    """Make a named tuple; ``==``, hash and text are those of a tuple.

    Parameters
    ----------
    number
        Number of the original in the student process.
    title
        Name of its class.
    names, items
        Its items and their names.

    Raises
    ------
    TypeError
        There are not as many items as names.
    """
    copy = _class_of(title[:MAX_NAME], names)(*items)
    copy._nbproctor_number = number
    return copy


@functools.lru_cache(64)
def _class_of(title: str, names: tuple[str, ...]) -> Any:
    name = title if title.isidentifier() and not iskeyword(title) else "NamedTuple"
    return type(name, (StudentTuple, namedtuple(name, names)), {})
