"""``type``, ``isinstance`` and ``issubclass`` as test cells know them.

The class of an object of the student's is one of the student's own, which the student
is asked about, or one of an installed library: that is answered here, by what the table
in `protocol.objects` has of it, and the student is not asked. A library in the judge is
told nothing of it: one that took a handle for an object of its own would believe what
the student's methods say.
"""

from __future__ import annotations

import types
from typing import Any

from nbproctor.judge.error_classes import kind_of
from nbproctor.judge.identity import ask, library_of
from nbproctor.judge.proxy import Proxy
from nbproctor.judge.student_errors import StudentError


class _OneArgument(type):
    """``type`` as tests know it: of a student's object, the student's class."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if len(args) == 1 and isinstance(args[0], Proxy):
            kind, relation = library_of(args[0])
            if kind is not None and relation == "exact":
                return kind
            return ask(args[0], "builtin", "type", [args[0]])
        if len(args) == 1 and isinstance(args[0], StudentError):
            return kind_of(args[0])
        return type(*args, **kwargs)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, type)

    def __eq__(cls, other: object) -> bool:
        return other is cls or other is type

    def __hash__(cls) -> int:
        return hash(type)


class Type(metaclass=_OneArgument):
    """Stands for ``type`` in test cells."""


def is_instance(value: Any, kinds: Any) -> bool:
    """Stand for ``isinstance`` in test cells."""
    if isinstance(value, Proxy):
        known, relation = library_of(value)
        if known is not None and relation in ("exact", "object"):
            return any(_among(known, kind, value, isinstance) for kind in _each(kinds))
    return isinstance(value, kinds)


def is_subclass(value: Any, kinds: Any) -> bool:
    """Stand for ``issubclass`` in test cells."""
    if isinstance(value, Proxy):
        known, relation = library_of(value)
        if known is not None and relation in ("class", "derived"):
            return any(_among(known, kind, value, issubclass) for kind in _each(kinds))
    return issubclass(value, kinds)


def _among(known: type, kind: Any, value: Any, asked: Any) -> bool:
    """Whether a class of a library is of a kind; of the student's own, ask."""
    if isinstance(kind, type) and kind is not Type:
        return issubclass(known, kind)
    return bool(asked(value, kind))


def _each(kinds: Any) -> list[Any]:
    if isinstance(kinds, tuple):
        return [one for kind in kinds for one in _each(kind)]
    return list(kinds.__args__) if isinstance(kinds, types.UnionType) else [kinds]


STAND_INS = {"type": Type, "isinstance": is_instance, "issubclass": is_subclass}
