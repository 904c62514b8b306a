"""Classes of the student's as test cells know them.

``except MyError`` in a test needs a class. The class made here represents the
student's: it catches what student code raised of that class, and nothing that the test
itself raised. Students decide anyway which of their exceptions a call raises.

``type``, ``isinstance`` and ``issubclass`` of a test cell are those of this module. The
class of a student's object is either one of the student's own, about which the
student's process is asked, or one of an installed library. The table in
`protocol.objects` answers for the latter. A library in the judge is not asked, because
it would trust the student's methods.
"""

from __future__ import annotations

import builtins
import contextlib
import functools
import sys
import types
from typing import Any

from nbproctor.judge.proxy import (
    NOT_AS_SUCH,
    Proxy,
    StudentError,
    StudentRaised,
    ask,
    built_in,
    handle_of,
)


class ErrorClass(type):
    """The class of classes that stand for a student's."""

    _nbproctor: Proxy

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """Make an exception in the student process."""
        instance = ask(cls._nbproctor, "call", cls._nbproctor, args, kwargs)
        if not isinstance(instance, Proxy):
            return instance
        return error_of(cls, str(instance), instance)

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return ask(cls._nbproctor, "get", cls._nbproctor, name)

    def __setattr__(cls, name: str, value: Any) -> None:
        ask(cls._nbproctor, "set", cls._nbproctor, name, value)

    def __instancecheck__(cls, instance: Any) -> bool:
        if isinstance(instance, Proxy):
            is_instance = ask(
                instance, "apply", "isinstance", [instance, cls._nbproctor]
            )
            return is_instance is True
        return super().__instancecheck__(instance)


class OwnError(StudentError):
    """An exception of a student's own class: its attributes are the student's."""

    def __getattr__(self, name: str) -> Any:
        proxy = self.__dict__.get("_nbproctor")
        if proxy is None or name.startswith("__"):
            raise AttributeError(name)
        return ask(proxy, "get", proxy, name)

    @property
    def args(self) -> Any:
        """The arguments that it was made with."""
        proxy = self.__dict__.get("_nbproctor")
        return (self.text,) if proxy is None else ask(proxy, "get", proxy, "args")

    @args.setter
    def args(self, value: Any) -> None:
        """Leave them alone."""


def stand_in(proxy: Proxy, name: str, base: str, bases: tuple[Any, ...]) -> ErrorClass:
    """Make the class that stands for a student's.

    `base` is the name of the built-in class that it derives from, `bases` what stands
    for its own bases, and other values, if somebody lies.
    """
    parents = tuple(b for b in bases if isinstance(b, ErrorClass))
    plain = _mirror(base)
    alone = (OwnError,) if plain is StudentError else (OwnError, plain)
    try:
        return ErrorClass(name, parents or alone, {"_nbproctor": proxy})
    except TypeError:  # bases that do not go together
        return ErrorClass(name, alone, {"_nbproctor": proxy})


def error_of(kind: Any, text: str, proxy: Proxy | None = None) -> StudentRaised:
    """Make an exception of a class, without calling its ``__init__``.

    Some built-in classes insist on arguments of their own there.
    """
    # MemoryError has a `__new__` that makes no class with another base before it.
    new = Exception.__new__ if issubclass(kind, MemoryError) else kind.__new__
    error: StudentRaised = new(kind)
    error.text = text
    error.args = (text,)
    if proxy is not None:
        error.__dict__["_nbproctor"] = proxy
    return error


def known_error(base: str, library: Any, text: str) -> StudentRaised:
    """Make an exception that is of a class of the judge's process too.

    `base` is the name of a built-in class, `library` module and name of the class
    itself, as in ``numpy.linalg:LinAlgError``, if it is a library's and nobody lies.
    """
    kind: Any = _class_of_library(library) if type(library) is str else None
    if kind is not None:
        with contextlib.suppress(Exception):  # one that cannot be made without more
            return error_of(_mirror_of(kind), text)
    return error_of(_mirror(base), text)


def _class_of_library(name: str) -> type[Exception] | None:
    """Return a class of exceptions that is imported here, if tests may see it.

    A class that derives only from `Exception` could be a signal, such as
    `unittest.SkipTest`, which ends a test that a student could not pass.
    """
    module, _, title = name.partition(":")
    kind = getattr(sys.modules.get(module), "__dict__", {}).get(title)
    if not isinstance(kind, type) or module.partition(".")[0] == "nbproctor":
        return None
    base = built_in(kind)
    is_exception = issubclass(base, Exception) and base is not Exception
    return kind if is_exception else None


def _mirror(base: str) -> type[StudentRaised]:
    builtin = getattr(builtins, base, None)
    is_exception = isinstance(builtin, type) and issubclass(builtin, BaseException)
    return _mirror_of(builtin if is_exception else Exception)


@functools.cache
def _mirror_of(builtin: Any) -> type[StudentRaised]:
    """Return the class of the student's exceptions that are of a class of ours."""
    # A call that raises StopIteration must not end a loop of the test's, as in
    # ``all(map(check, cases))``; a group cannot be made without its exceptions.
    if builtin is Exception or issubclass(builtin, NOT_AS_SUCH):
        return StudentError
    if builtin in (BaseException, BaseExceptionGroup):
        return StudentRaised
    above: Any = builtin.__base__
    try:
        return type("StudentError", (_mirror_of(above), builtin), {})
    except TypeError:  # a library's class that wants no other beside it
        return _mirror_of(above)


class _OneArgument(type):
    """``type`` as tests know it: of a student's object, the student's class."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if len(args) == 1 and isinstance(args[0], Proxy):
            handle = handle_of(args[0])
            if handle.kind is not None and handle.relation == "exact":
                return handle.kind
            return ask(args[0], "apply", "type", [args[0]])
        if len(args) == 1 and isinstance(args[0], StudentRaised):
            kinds = type(args[0]).__mro__  # the student's own, or one that is known
            if issubclass(kinds[0], OwnError):
                return kinds[0]
            library_classes = (
                k for k in kinds if not k.__module__.startswith("nbproctor.")
            )
            return next(library_classes, Exception)
        return type(*args, **kwargs)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, type)

    def __eq__(cls, other: object) -> bool:
        return other is cls or other is type

    def __hash__(cls) -> int:
        return hash(type)


class Type(metaclass=_OneArgument):
    """Stands for ``type`` in test cells."""


def _classifies(builtin: Any, *relations: str) -> Any:
    """Make a test's ``isinstance``; what has one of these relations is not asked."""

    def is_one(own_class: type, kind: Any, value: Any) -> bool:
        if isinstance(kind, type) and kind is not Type:
            return issubclass(own_class, kind)
        return bool(builtin(value, kind))  # a class of the student's own: ask

    def classifies(value: Any, kinds: Any) -> bool:
        if isinstance(value, Proxy):
            handle = handle_of(value)
            if handle.kind is not None and handle.relation in relations:
                return any(is_one(handle.kind, kind, value) for kind in _each(kinds))
        return bool(builtin(value, kinds))

    return classifies


def _each(kinds: Any) -> list[Any]:
    if isinstance(kinds, tuple):
        return [one for kind in kinds for one in _each(kind)]
    return list(kinds.__args__) if isinstance(kinds, types.UnionType) else [kinds]


STAND_INS = {
    "type": Type,
    "isinstance": _classifies(isinstance, "exact", "object"),
    "issubclass": _classifies(issubclass, "class", "derived"),
}
