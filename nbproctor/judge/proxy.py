"""The student's functions, classes and objects as a test cell sees them.

A `Proxy` stands for an object that stays in the student process. Calls, attributes and
items go there; plain data comes back. Two objects of the student's are compared,
ordered and added there: their class could return the same answers from any method.
Equality, order and arithmetic with values of the test's, and truth, are the judge's own
and never asked of the student. Nor is what an object is: the process that has it, its
number and its class are known here, and a student's class could say anything.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeVar

import numpy as np

from nbproctor.errors import NbproctorError
from nbproctor.protocol.frames import Interruption

_T = TypeVar("_T")

# What Python and NumPy look up by name on an object, and must find here.
_LOCAL = {"__array__", "__deepcopy__", "__mro_entries__"}
NOT_AS_SUCH = (StopIteration, StopAsyncIteration, ExceptionGroup)


class StudentRaised(BaseException):
    """Student code raised something; an instance of the matching built-in class too."""

    kind = "Exception"  # name of the student's class
    text = ""
    cell: str | None = None  # where in the student's own cells, if it was there
    line: int | None = None
    origin: object = None  # the session whose process raised it

    def __str__(self) -> str:
        return self.text


class StudentError(StudentRaised, NbproctorError):
    """Student code raised an `Exception`, as most do; ``sys.exit`` raises none."""


class StudentGone(Interruption):
    """The student process has ended; `reason` is timeout, died or protocol."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason


def printable(text: str) -> str:
    """Return what a student process calls something, fit to be shown."""
    text = text[:100]
    return text if text.isprintable() else "".join(filter(str.isprintable, text))


class Handle(NamedTuple):
    """What the judge knows of an object that stays in a student process."""

    link: Any  # the `session.Session` of that process
    number: int
    label: str  # name of its class; of a function or class, its own too
    # The class of a library that it has to do with, if any, and how: it may be of
    # ``exact`` this class, an ``object`` of one derived, the ``class``, or ``derived``.
    kind: type | None = None
    relation: str = ""


def handle_of(proxy: object) -> Handle:
    """Return what is known of a proxy's object, without asking it."""
    handle: Handle = object.__getattribute__(proxy, "_nbproctor")
    return handle


def ask(proxy: object, request: str, *arguments: Any) -> Any:
    """Ask the process that has an object."""
    return handle_of(proxy).link.ask(request, *arguments)


class Proxy:
    """An object that stays in the student process.

    Attributes by name are the student's, ``__init__``, ``__new__`` and ``__doc__``
    included; what operators and built-in functions do to a proxy is written here.
    """

    __slots__ = ("__weakref__", "_nbproctor")

    def __init__(self, handle: Handle) -> None:
        object.__setattr__(self, "_nbproctor", handle)

    def __getattribute__(self, name: str) -> Any:
        if name == "__class__":
            # A name and no more: a library that took a handle for an object of its own
            # would believe what the student's methods say.
            if handle_of(self).kind is not None:
                _doubt(self, "__class__")
            return _named_class(handle_of(self).label.partition(" ")[0])
        if name in _LOCAL:
            return object.__getattribute__(self, name)
        # NumPy looks for these on everything; `__array__` is the one we have.
        if name.startswith("__array"):
            raise AttributeError(name)
        return ask(self, "get", self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        ask(self, "set", self, name, value)

    def __delattr__(self, name: str) -> None:
        ask(self, "apply", "delattr", [self, name])

    def _nbproctor_calls(self, calls: list[Any], keep: bool) -> Any:
        return _exactly(list, ask(self, "calls", calls, keep))

    def __eq__(self, other: object) -> bool:
        own = handle_of(self)
        if own.kind is not None and own.kind is other and own.relation == "class":
            return True
        if not isinstance(other, Proxy) or own.link is not handle_of(other).link:
            _doubt(self, "__eq__")
            return False
        return own.number == handle_of(other).number or _truth("eq", self, other)

    def __ne__(self, other: object) -> bool:
        own = handle_of(self)
        if not isinstance(other, Proxy) or own.link is not handle_of(other).link:
            return not self == other
        return own.number != handle_of(other).number and _truth("ne", self, other)

    def __bool__(self) -> bool:
        _doubt(self, "__bool__", "__len__")
        return True

    def __dir__(self) -> list[str]:
        names = _exactly(list, ask(self, "apply", "dir", [self]))
        return [_exactly(str, name) for name in names]

    def __enter__(self) -> Any:
        return ask(self, "get", self, "__enter__")()

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool:
        """Leave a ``with``; what the test itself raised is never held back."""
        told = None if error is None else built_in(type(error))
        done = ask(self, "get", self, "__exit__")(told, None, None)
        return isinstance(error, StudentRaised) and done is True

    def __iter__(self) -> Iterator[Any]:
        items = ask(self, "apply", "iter", [self])
        return items if isinstance(items, Proxy) else iter(items)

    def __next__(self) -> Any:
        try:
            return ask(self, "apply", "next", [self])
        except StudentError as error:
            if error.kind == "StopIteration":
                raise StopIteration from None
            raise

    def __instancecheck__(self, instance: Any) -> bool:
        return _exactly(bool, ask(self, "apply", "isinstance", [instance, self]))

    def __subclasscheck__(self, subclass: Any) -> bool:
        return _exactly(bool, ask(self, "apply", "issubclass", [subclass, self]))

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        raise TypeError("a test cannot derive a class from one of the student's")

    def __deepcopy__(self, memo: Any) -> Any:
        return ask(self, "apply", "deepcopy", [self])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        array = _exactly(np.ndarray, ask(self, "apply", "array", [self]))
        return array if dtype is None else array.astype(dtype)


class CallableProxy(Proxy):
    """A proxy of something that can be called."""

    __slots__ = ()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it in the student process."""
        return ask(self, "call", self, args, kwargs)


@functools.lru_cache(256)
def _named_class(name: str) -> type:
    return type(name, (), {})


def _doubt(proxy: Proxy, *methods: str) -> None:
    """Note that the judge decides what these methods would: see `Session.excuse`."""
    handle_of(proxy).link.doubts.append((proxy, *methods))


def _request(name: str, kind: type | None = None) -> Any:
    """Make what a function asks of an object; its result may have to be of one type."""

    def apply(self: Proxy, *others: Any) -> Any:
        result = ask(self, "apply", name, [self, *others])
        return result if kind is None else _exactly(kind, result)

    return apply


def _among_students(name: str) -> Any:
    """Make arithmetic or order: the student's among their own objects, or the judge's.

    What a test computed never meets a method of the student's, or an object whose
    ``-`` is always 0 would be near to everything.
    """
    judges = _judges(name)

    def apply(self: Proxy, *others: Any) -> Any:
        if not all(isinstance(other, Proxy) for other in others):
            return judges(self, *others)
        if name in _ORDER:
            return _truth(name, self, *others)
        result = ask(self, "apply", name, [self, *others])
        if not isinstance(result, Proxy):
            raise TypeError(f"{name} of two objects gives no object")
        return result

    return apply


def _truth(name: str, *proxies: Proxy) -> bool:
    """Ask the student to compare their own objects; anything but a bool is an error."""
    result = ask(proxies[0], "apply", name, list(proxies))
    return bool(result) if type(result) is np.bool_ else _exactly(bool, result)


def built_in(kind: type) -> type:
    """Return the first class that is built in, of a class and its bases."""
    return next(base for base in kind.__mro__ if base.__module__ == "builtins")


def _judges(name: str, swapped: bool = False) -> Any:
    """Make an operator that is never the student's."""
    operation = getattr(operator, name)

    def apply(self: Proxy, *others: Any) -> Any:
        _doubt(self, f"__{'r' * swapped}{name}__")
        number = _plain(self, *others)
        return operation(*others, number) if swapped else operation(number, *others)

    return apply


def _plain(proxy: Any, *others: Any) -> Any:
    """Return the number, or beside an array the array, that an object converts to."""
    arrays = any(isinstance(other, np.ndarray) for other in others)
    return np.asarray(proxy) if arrays else float(proxy)


_BINARY = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul")
_UNARY, _ORDER = ("neg", "pos"), ("lt", "le", "gt", "ge")
_CONVERSIONS: dict[str, type] = {
    **dict.fromkeys(("hash", "len", "int"), int),
    **dict.fromkeys(("repr", "str"), str),
    "float": float,
}
_OPERATORS: dict[str, Any] = {
    **{f"__{name}__": _among_students(name) for name in (*_BINARY, *_UNARY, *_ORDER)},
    **{f"__r{name}__": _judges(name, swapped=True) for name in _BINARY},
    "__abs__": _judges("abs"),
    **{f"__{name}__": _request(name, kind) for name, kind in _CONVERSIONS.items()},
    **{f"__{name}__": _request(name) for name in ("getitem", "setitem", "delitem")},
}
for _name, _value in _OPERATORS.items():
    setattr(Proxy, _name, _value)


def _exactly(kind: type[_T], value: object) -> _T:
    if type(value) is not kind:
        raise TypeError(f"expected {kind.__name__}, got {type(value).__name__}")
    return value
