"""Classes of the student's as test cells know them.

If student code raises an exception, a test sees it as one of the first built-in class
from which its class derives. A test that catches a class of the student's runs in the
student's process.

``type``, ``isinstance`` and ``issubclass`` of a test cell are those of this module. The
class of a student's object is either one of the student's own, about which the
student's process is asked, or one of an installed library. The table in
`protocol.objects` answers for the latter. A library in the judge is not asked, because
it would trust the student's methods.
"""

from __future__ import annotations

import builtins
import types
from functools import cache
from typing import Any

from nbproctor.judge.proxy import (
    NEVER_RERAISED,
    Proxy,
    StudentError,
    StudentRaised,
    ask,
    built_in,
    handle_of,
)
from nbproctor.protocol.objects import EXCEPTIONS


def make_student_error(base: str, text: str) -> StudentRaised:
    """Make an exception of the student's, which is of a built-in class, too.

    It is made without calling ``__init__``: some insist on arguments of their own.
    """
    builtin = vars(builtins)[base] if base in EXCEPTIONS else Exception
    kind = _exception_class(builtin)
    # MemoryError has a `__new__` that makes no class with another base before it.
    new = Exception.__new__ if issubclass(kind, MemoryError) else kind.__new__
    error = new(kind)
    error.text = text
    error.args = (text,)
    return error


@cache
def _exception_class(builtin: Any) -> type[StudentRaised]:
    """Return the class of the student's exceptions that are of a class of ours."""
    # A call that raises StopIteration must not end a loop of the test's, as in
    # ``all(map(check, cases))``; a group cannot be made without its exceptions.
    if builtin is Exception or issubclass(builtin, NEVER_RERAISED):
        return StudentError
    if builtin in (BaseException, BaseExceptionGroup):
        return StudentRaised
    return type("StudentError", (_exception_class(builtin.__base__), builtin), {})


class _TypeMeta(type):
    """``type`` as tests know it: of a student's object, the student's class."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        value = args[0] if len(args) == 1 else None
        if isinstance(value, Proxy):
            handle = handle_of(value)
            if handle.relation == "exact":
                return handle.kind
            return ask(value, "apply", "type", [value])
        if isinstance(value, StudentRaised):
            return built_in(type(value))
        return type(*args, **kwargs)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, type)

    def __eq__(cls, other: object) -> bool:
        return other is cls or other is type

    def __hash__(cls) -> int:
        return hash(type)


class Type(metaclass=_TypeMeta):
    """Stands for ``type`` in test cells."""


def _make_class_check(builtin: Any, *relations: str) -> Any:
    """Make a test's ``isinstance``; what has one of these relations is not asked."""

    def classifies(value: Any, kinds: Any) -> bool:
        handle = handle_of(value) if isinstance(value, Proxy) else None
        if not handle or handle.relation not in relations:
            return bool(builtin(value, kinds))
        for kind in _each(kinds):
            if isinstance(kind, type) and kind is not Type:
                fits = issubclass(handle.kind, kind)
            else:
                fits = builtin(value, kind)  # a class of the student's own: ask
            if fits:
                return True
        return False

    return classifies


def _each(kinds: Any) -> list[Any]:
    if isinstance(kinds, tuple):
        return [one for kind in kinds for one in _each(kind)]
    return list(kinds.__args__) if isinstance(kinds, types.UnionType) else [kinds]


STAND_INS = {
    "type": Type,
    "isinstance": _make_class_check(isinstance, "exact", "object"),
    "issubclass": _make_class_check(issubclass, "class", "derived"),
}
