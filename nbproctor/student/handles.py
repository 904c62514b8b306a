"""Objects that stay in their process: the student's, and those of the judge.

The judge names a student's object by a number. What it learns about the object is found
out without the methods of a student's class. A test may pass a function, an activation
or a whole model. Student code then gets a stand-in, a `JudgeObject`, which asks the
judge for everything (see `judge.exports`).
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
from nbproctor.student.outputs import exception_text

_NAMED = (type, types.FunctionType, types.MethodType, types.BuiltinFunctionType)
_BASES = (tuple, int, float, complex, str, bytes, list, dict, set, frozenset)


@dataclass
class Handles(NumberedObjects):
    """The objects that the judge may name."""

    # Whether the judge got a plain value in place of one that has a mask, attributes or
    # methods, too.
    simplified_subclass: bool = False

    def default(self, value: Any) -> Any:
        """Turn a subclass into plain data, and any other object into a handle."""
        kind = type(value)
        if kind is types.MethodType:
            owner = value.__self__
            kind_of_owner = type(owner)
            is_judges = issubclass(kind_of_owner, JudgeObject)
            if is_judges and value.__name__ in vars(kind_of_owner):
                return self.default(_get(owner, value.__name__))
        if issubclass(kind, JudgeObject):
            return Ref("judge", (value._nbproctor_link[1],))
        if issubclass(kind, np.ndarray):
            if kind is not np.ndarray and value.dtype.kind != "V":  # records stay here
                # Whoever returns a matrix has made an ordinary mistake.
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
    """Whether a value has methods or attributes, which the judge does not get."""
    code = (types.FunctionType, property, classmethod, staticmethod)
    for base in type(value).__mro__[:-2]:
        for name, member in vars(base).items():
            is_public = not name.startswith("_")
            if is_public or isinstance(member, code):
                return True
    return bool(getattr(value, "__dict__", None))


def _as_base(value: Any) -> Any:
    """Convert a value by methods of its built-in base, not of the student's class."""
    base: Any = next(base for base in _BASES if issubclass(type(value), base))
    if base in (str, bytes):
        return base.__getitem__(value, slice(None))
    if base is dict:
        return dict(dict.items(value))
    if base in (tuple, list, set, frozenset):
        return base(base.__iter__(value))
    return base.__pos__(value)


def _library_of(value: Any) -> tuple[str, str]:
    """Return a library's class to which an object is related, and how: see `Ref`."""
    if issubclass(type(value), type):
        name, is_exact = known_base(value)
        return name, "class" if is_exact else "derived"
    name, is_exact = known_base(type(value))
    return name, "exact" if is_exact else "object"


def has_special_method(value: Any, method: str) -> bool:
    """Whether an object's class, or a base but `object`, has a special method."""
    bases = type.__dict__["__mro__"].__get__(type(value))[:-1]
    namespaces = map(type.__dict__["__dict__"].__get__, bases)
    return any(method in namespace for namespace in namespaces)


def describe_exception(
    error: BaseException, cells: Mapping[str, tuple[str, int]]
) -> list[Any]:
    """Describe an exception, and where in the student's cells it was raised.

    Returns the names of its first built-in class and of its own class, its text, the
    name of the last of these cells in its traceback, and the line in this cell. For
    `cells`, see `shell.Compiler`.
    """
    kind = type(error)
    class_names = [base.__name__ for base in kind.__mro__]
    built_in = next((name for name in class_names if name in EXCEPTIONS), "")
    cell = None
    line = None
    for frame, number in traceback.walk_tb(error.__traceback__):
        if position := cells.get(frame.f_code.co_filename):
            cell, blank = position
            line = number + blank
    return [
        built_in,
        kind.__name__[:100],
        exception_text(error)[:2000],
        cell,
        line,
    ]


# ---- the judge's objects ------------------------------------------------------------

# Attributes of the judge's objects, by their numbers. The judge waits while student
# code runs, so they do not change before the next message.
attribute_cache: dict[int, dict[str, Any]] = {}


class JudgeObject:
    """An object of the judge, as student code sees it; `make_stand_in` makes one.

    If a test's class has a method ``init_again``, its objects can be initialized again.
    If it has a method ``copied``, this method copies them. Otherwise an object is its
    own copy, as a function is.
    """

    #: An object of this class that was passed to student code.
    _nbproctor_known: ClassVar[Any] = None
    # The connection, the object's number, and the name of its class.
    _nbproctor_link: tuple[Connection, int, str]

    def __new__(cls, *args: Any, **kwargs: Any) -> JudgeObject:
        """Create another one, as in ``type(self.model)(…)``."""
        prototype = cls._nbproctor_known
        stand_in: JudgeObject = copy(prototype)
        if stand_in is prototype:
            raise TypeError("an object of the test cannot be created again")
        return stand_in

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Initialize it again, as in ``self.model.__init__(…)``."""
        if "init_again" not in vars(type(self)):
            raise TypeError("an object of the test cannot be created again")
        _call("init_again", self, *args, **kwargs)

    def __copy__(self, memo: object = None) -> Any:
        copied = vars(type(self)).get("copied")
        return copied(self) if copied else self

    __deepcopy__ = __copy__

    def __getattribute__(self, name: str) -> Any:
        """Ask the judge first, then the notebook's class of the same name."""
        own_names = vars(type(self))
        if name.startswith("_") or name in own_names:
            return object.__getattribute__(self, name)
        try:
            return _get(self, name)
        except AttributeError:
            if not hasattr(type(self), name):
                raise
        return object.__getattribute__(self, name)

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
        """The public attributes and their present values, for ``vars``."""
        attributes = {}
        for name in _ask(self, "attributes"):
            with suppress(Exception):  # it cannot be sent
                attributes[name] = _get(self, name)
        return attributes

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_"):  # an attribute of the student's
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
    """Make a stand-in for an object of the judge, with its class and public methods.

    The methods in `code` run in this process, and those in `names` in the judge. If the
    notebook has a class named `kind`, the object is an instance of it, too.
    """
    try:
        stand_in_class = _class_named(kind, names, code, notebook[kind])
        prototype = object.__new__(stand_in_class)
    except Exception:  # there is no such class, or it cannot be a base
        stand_in_class = _class_named(kind, names, code, object)
        prototype = object.__new__(stand_in_class)
    attribute_cache[number] = attributes
    stand_in_class._nbproctor_known = prototype
    object.__setattr__(prototype, "_nbproctor_link", (connection, number, kind))
    return prototype


@cache
def _class_named(
    kind: str,
    names: tuple[str, ...],
    code: bytes,
    base: type,
) -> type[JudgeObject]:
    """Return the class of stand-ins; error messages show its name."""
    namespace: dict[str, Any] = {"__module__": "__main__"}
    for name in names:
        namespace[name] = make_function(name, partial(_call, name))
    namespace |= cloudpickle.loads(code)
    return type(kind, (JudgeObject, base), namespace)


def make_function(name: str, outside: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that calls `outside`, and looks like a notebook's function."""

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
    """Call a method in the judge, with one message instead of two."""
    return _ask(owner, "method", name, args, kwargs)


def _get(target: JudgeObject, name: str) -> Any:
    """Get an attribute from the judge, unless it came with the last message."""
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
