"""Named tuples of the other side: a tuple's items, under the names they have there."""

from __future__ import annotations

import functools
import unicodedata
from collections import namedtuple
from collections.abc import Iterable
from keyword import iskeyword
from typing import Any, TypeGuard

MAX_NAMES, MAX_NAME = 100, 100  # of one class, characters of one name


class ForeignTuple:
    """What makes a named tuple of the other side's known again.

    Attributes
    ----------
    _nbproctor_number
        What they know it by. One made from it over here (``_replace``) has none. (No
        item can have a name that begins with an underscore.)
    """

    _nbproctor_number: int | None = None


def are_names(names: object) -> TypeGuard[tuple[str, ...]]:
    """Whether the items of a named tuple can have these names."""
    return (
        type(names) is tuple
        and len(set(names)) == len(names) <= MAX_NAMES
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


def make(number: int, kind: str, names: tuple[str, ...], items: Iterable[Any]) -> Any:
    """Make a named tuple of the other side's; ``==`` and text are a tuple's.

    Raises
    ------
    TypeError
        There are not as many items as names.
    """
    made = _class_of(kind[:MAX_NAME], names)(*items)
    made._nbproctor_number = number
    return made


@functools.lru_cache(64)
def _class_of(kind: str, names: tuple[str, ...]) -> Any:
    title = kind if kind.isidentifier() and not iskeyword(kind) else "NamedTuple"
    return type(title, (ForeignTuple, namedtuple(title, names)), {})
