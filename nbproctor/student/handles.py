"""Objects that stay where they are: the student's by number, the judge's by a stand-in.

What the judge learns about an object here is found out without the methods of a
student's class. A test may pass a function, an activation or a whole model; student
code gets a `JudgeObject` that asks the judge for everything (see `judge.exports`).
"""

from __future__ import annotations

import traceback
import types
from collections.abc import Callable, Mapping
from contextlib import suppress
from copy import copy
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, ClassVar

import cloudpickle
import numpy as np

from nbproctor.protocol.objects import EXCEPTIONS, NumberedObjects, Ref, known_base
from nbproctor.protocol.rpc import Connection

_NAMED = (type, types.FunctionType, types.MethodType, types.BuiltinFunctionType)
_BASES = (tuple, int, float, complex, str, bytes, list, dict, set, frozenset)


@dataclass
class Handles(NumberedObjects):
    """The objects that the judge may name."""

    # Whether the judge got as plain what has more to it: a mask, attributes, methods.
    simplified_subclass: bool = False

    def default(self, value: Any) -> Any:
        """Turn a subclass into plain data, and any other object into a handle."""
        kind = type(value)
        if kind is types.MethodType:
            owner = type(value.__self__)
            if issubclass(owner, JudgeObject) and value.__name__ in vars(owner):
                return self.default(_get(value.__self__, value.__name__))
        if issubclass(kind, JudgeObject):
            return Ref("judge", (value._nbproctor_link[1],))
        if issubclass(kind, np.ndarray):
            if kind is not np.ndarray and value.dtype.kind != "V":  # records stay here
                # A matrix is a slip like any.
                self.simplified_subclass |= kind is not np.matrix
                return np.ndarray.view(value, np.ndarray)
        elif issubclass(kind, _BASES):
            self.simplified_subclass |= _adds_something(value)
            return _as_base(value)
        name = value.__name__ if issubclass(kind, _NAMED) else ""
        if type(name) is not str:
            name = ""
        fields = (
            self.number_of(value),
            kind.__name__[:100],
            name[:100],
            callable(value),
            *_library_of(value),
        )
        return Ref("student", fields)


def _adds_something(value: Any) -> bool:
    """Whether a value has methods or attributes that the judge gets nothing of."""
    code = (types.FunctionType, property, classmethod, staticmethod)
    for base in type(value).__mro__[:-2]:
        for name, member in vars(base).items():
            if not name.startswith("_") or isinstance(member, code):
                return True
    return bool(getattr(value, "__dict__", None))


def _as_base(value: Any) -> Any:
    """Convert with the base's own methods, not with those of the student's class."""
    base: Any = next(base for base in _BASES if issubclass(type(value), base))
    if base in (str, bytes):
        return base.__getitem__(value, slice(None))
    if base is dict:
        return dict(dict.items(value))
    if base in (tuple, list, set, frozenset):
        return base(base.__iter__(value))
    return base.__pos__(value)


def _library_of(value: Any) -> tuple[str, str]:
    """Return which class of a library an object has to do with, and what."""
    if issubclass(type(value), type):
        name, is_exact = known_base(value)
        return name, "class" if is_exact else "derived"
    name, is_exact = known_base(type(value))
    return name, "exact" if is_exact else "object"


def has_special_method(value: Any, method: str) -> bool:
    """Whether an object's class has a special method, or a base of it but `object`."""
    bases = type.__dict__["__mro__"].__get__(type(value))[:-1]
    namespaces = map(type.__dict__["__dict__"].__get__, bases)
    return any(method in namespace for namespace in namespaces)


def describe_exception(
    error: BaseException, cells: Mapping[str, tuple[str, int]]
) -> list[Any]:
    """Say what an exception is, and where in the student's cells it was raised.

    That is its first built-in class, its own class, its text, the name of the last of
    these cells in its traceback, and the line there. For `cells`, see `shell.Compiler`.
    """
    kind = type(error)
    class_names = [base.__name__ for base in kind.__mro__]
    built_in = next((name for name in class_names if name in EXCEPTIONS), "")
    try:
        text = str(error)
    except BaseException:
        text = "<the exception has no text>"
    cell = None
    line = None
    for frame, number in traceback.walk_tb(error.__traceback__):
        if position := cells.get(frame.f_code.co_filename):
            cell, blank = position
            line = number + blank
    return [
        built_in,
        kind.__name__[:100],
        text[:2000],
        cell,
        line,
    ]


# ---- the judge's objects ------------------------------------------------------------

# Attributes of the judge's objects, by their numbers. While student code runs, the
# judge waits, so they stay as they are until the next message.
attribute_cache: dict[int, dict[str, Any]] = {}


class JudgeObject:
    """An object of the judge's, as student code sees it; `make_stand_in` makes one.

    A test's class says whether its objects can be initialized again, by a method
    ``init_again``, and how they are copied, by `copied`; what has none is, as a
    function, its own copy.
    """

    #: Of the class that stands for a test's: an object passed to student code.
    _nbproctor_known: ClassVar[Any] = None
    _nbproctor_link: tuple[Connection, int, str]  # its number, the name of its class

    def __new__(cls, *args: Any, **kwargs: Any) -> JudgeObject:
        """Make one more, as ``type(self.model)(…)`` does."""
        prototype = cls._nbproctor_known
        stand_in: JudgeObject = copy(prototype)
        if stand_in is prototype:
            raise TypeError("an object of the test cannot be created again")
        return stand_in

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Initialize it again, as ``self.model.__init__(…)`` does."""
        if "init_again" not in vars(type(self)):
            raise TypeError("an object of the test cannot be created again")
        _call("init_again", self, *args, **kwargs)

    def __copy__(self, memo: object = None) -> Any:
        copied = vars(type(self)).get("copied")
        return copied(self) if copied else self

    __deepcopy__ = __copy__

    def __getattribute__(self, name: str) -> Any:
        """Ask the judge first, then the notebook's class of this name."""
        if name.startswith("_") or name in vars(type(self)):
            return object.__getattribute__(self, name)
        try:
            return _get(self, name)
        except AttributeError:
            if not hasattr(type(self), name):
                raise
        return object.__getattribute__(self, name)

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
        """What ``vars`` returns: the public attributes, as they are now."""
        attributes = {}
        for name in _ask(self, "attributes"):
            with suppress(Exception):  # it cannot be sent
                attributes[name] = _get(self, name)
        return attributes

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_"):  # the student's own
            object.__setattr__(self, name, value)
        else:
            _ask(self, "set", name, value)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it in the judge."""
        return _ask(self, "call", args, kwargs)

    def __getitem__(self, key: Any) -> Any:
        return _ask(self, "item", key)

    def __len__(self) -> int:
        return int(_ask(self, "len"))

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"<{self._nbproctor_link[2]} of the test>"


def make_stand_in(
    notebook: Mapping[str, Any],
    connection: Connection,
    number: int,
    kind: str,
    code: bytes,
    attributes: dict[str, Any],
    *names: str,
) -> JudgeObject:
    """Make what stands for an object of the judge's: its class and public methods.

    `code` has methods that run here, and `names` are those that run in the judge. Where
    the notebook has a class of this name, the object is one of its instances, too.
    """
    try:
        prototype = object.__new__(_class_named(kind, names, code, notebook[kind]))
    except Exception:  # no class of this name, or one that nobody can derive from
        prototype = object.__new__(_class_named(kind, names, code, object))
    attribute_cache[number] = attributes
    type(prototype)._nbproctor_known = prototype
    object.__setattr__(prototype, "_nbproctor_link", (connection, number, kind))
    return prototype


@cache
def _class_named(
    kind: str,
    names: tuple[str, ...],
    code: bytes,
    base: type,
) -> type[JudgeObject]:
    """Return the class of what stands for a test's objects: messages have its name."""
    methods = {name: make_function(name, partial(_call, name)) for name in names}
    methods |= cloudpickle.loads(code)
    return type(kind, (JudgeObject, base), {"__module__": "__main__", **methods})


def make_function(name: str, outside: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that calls `outside`, and looks like one of the notebook's."""

    def named_function(*args: Any, **kwargs: Any) -> Any:
        return outside(*args, **kwargs)

    named_function.__name__ = name
    named_function.__qualname__ = name
    named_function.__module__ = "__main__"
    return named_function


def _call(
    name: str,
    owner: JudgeObject,
    /,
    *args: Any,
    **kwargs: Any,
) -> Any:
    """Call a method of the judge's: one message, not two."""
    return _ask(owner, "method", name, args, kwargs)


def _get(target: JudgeObject, name: str) -> Any:
    """Get an attribute: from the judge, unless it came with the last message."""
    connection, number, _ = target._nbproctor_link
    with connection.turn:
        attributes = attribute_cache.get(number, {})
        if name in attributes:
            return attributes[name]
        value, attribute_cache[number] = _ask(target, "get", name)
        return value


def _ask(target: JudgeObject, request: str, *arguments: Any) -> Any:
    connection, number, _ = target._nbproctor_link
    with connection.turn:
        attribute_cache.clear()
        return connection.ask(request, number, *arguments)
