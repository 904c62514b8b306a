"""The student's functions, classes and objects as a test cell sees them.

A `Proxy` stands for an object that stays in the student process. Calls, attributes and
items are requested there, and plain data comes back. Two objects of the student are
compared, ordered and added there, because any method of their class could return the
same. Truth, and equality, order and arithmetic with values of the test, are decided in
the judge, and never by student code. So is the identity of an object: its process,
number and class are known here.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from functools import lru_cache, partial, partialmethod
from typing import Any, NamedTuple, NoReturn, TypeGuard, TypeVar

import numpy as np

from nbproctor.errors import NbproctorError
from nbproctor.protocol.frames import Interruption

_T = TypeVar("_T")

# Names that Python and NumPy look up on every object, and must find here.
_LOCAL = {"__array__", "__deepcopy__", "__mro_entries__", "__reduce_ex__"}
NEVER_RERAISED = (StopIteration, StopAsyncIteration, ExceptionGroup)


class StudentRaised(BaseException):
    """Student code raised something; an instance of the matching built-in class too."""

    kind = "Exception"  # name of the student's class
    text = ""
    cell: str | None = None  # the student's cell, if it was raised in one
    line: int | None = None
    origin: object = None  # session of the process that raised it

    def __str__(self) -> str:
        return self.text


class StudentError(StudentRaised, NbproctorError):
    """Student code raised an `Exception`; ``sys.exit`` does not."""


class ProcessEnded(Interruption):
    """The student process has ended; `reason` is timeout, died or protocol.

    A timeout came after so many seconds (`limit`).
    """

    def __init__(
        self,
        reason: str,
        detail: str,
        limit: float = 0.0,
    ) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.limit = limit


def printable(text: str) -> str:
    """Return a name from a student process, safe to show."""
    return "".join(filter(str.isprintable, text[:100]))


class Handle(NamedTuple):
    """What the judge knows about an object that stays in a student process."""

    session: Any  # the `session.Session` of that process
    number: int
    label: str  # name of its class; of a function or class, its own too
    # The class of a library that it has to do with, if any, and how: it may be of
    # ``exact`` this class, an ``object`` of one derived, the ``class``, or ``derived``.
    kind: Any
    relation: str  # none without a class

    @property
    def named_class(self) -> type:
        """A class that only has the name of the object's class, if it is a name."""
        class_name, _, _ = self.label.partition(" ")
        return _named_class(class_name if class_name.isidentifier() else "object")


def handle_of(proxy: object) -> Handle:
    """Return what the judge knows about a proxy's object, without a request."""
    handle: Handle = object.__getattribute__(proxy, "_nbproctor")
    return handle


def ask(proxy: object, request: str, *arguments: Any) -> Any:
    """Ask the process that has an object."""
    return handle_of(proxy).session.ask(request, *arguments)


def _apply(proxy: object, name: str, *arguments: Any) -> Any:
    """Apply a built-in function to an object in its process."""
    return ask(proxy, "apply", name, [proxy, *arguments])


# Functions that convert an object, and the type that each has to return.
_CONVERSIONS: dict[str, type] = {
    "array": np.ndarray,
    "dir": list,
    "float": float,
    "hash": int,
    "int": int,
    "len": int,
    "repr": str,
    "str": str,
}


def _convert(proxy: object, name: str) -> Any:
    """Convert an object; the result has exactly the right type."""
    return _require_type(_CONVERSIONS[name], _apply(proxy, name))


def _arithmetic(proxy: Any, name: str, *others: Any) -> Any:
    """Compute, by the student's operator between their own objects, else the judge's.

    A value that a test computed never meets a method of the student's. Otherwise an
    object whose ``-`` is always 0 would be close to everything.
    """
    if not all(isinstance(other, Proxy) for other in others):
        return _operate_in_judge(proxy, name, *others)
    result = _apply(proxy, name, *others)
    if not isinstance(result, Proxy):
        raise TypeError(f"{name} of two objects gives no object")
    return result


def _order(
    proxy: Any,
    name: str,
    other: object,
) -> Any:
    """Compare, as `_arithmetic` computes."""
    if isinstance(other, Proxy):
        return _ask_comparison(name, proxy, other)
    return _operate_in_judge(proxy, name, other)


def _operate_in_judge(proxy: Any, name: str, *others: Any) -> Any:
    """Apply an operator in the judge, never in the student's process."""
    _note_uncalled(proxy, f"__{name}__")
    return getattr(operator, name)(_as_number(proxy, *others), *others)


def _operate_reflected(proxy: Any, name: str, *others: Any) -> Any:
    """Apply an operator with the test's value in front of the object."""
    _note_uncalled(proxy, f"__r{name}__")
    return getattr(operator, name)(*others, _as_number(proxy, *others))


def _as_number(proxy: Any, *others: Any) -> Any:
    """Return the number to which an object converts, or next to an array the array."""
    arrays = any(isinstance(other, np.ndarray) for other in others)
    return np.asarray(proxy) if arrays else float(proxy)


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
            handle = handle_of(self)
            if handle.kind is not None:
                _note_uncalled(self, "__class__")
            return handle.named_class
        if name in _LOCAL:
            return object.__getattribute__(self, name)
        # NumPy looks for these on everything; `__array__` is the one we have.
        if name.startswith("__array"):
            raise AttributeError(name)
        if name == "equals":  # of pandas and others: what ``==`` is elsewhere
            return partial(_equals, self)
        return ask(self, "get", self, name)

    def _nbproctor_class(self) -> Any:
        """Return the class, for `expect`, which reads no more of it than that."""
        handle = handle_of(self)
        if handle.relation in ("exact", "object"):
            return handle.kind
        return handle.named_class

    def __setattr__(self, name: str, value: Any) -> None:
        ask(self, "set", self, name, value)

    def __delattr__(self, name: str) -> None:
        _apply(self, "delattr", name)

    def _nbproctor_calls(self, calls: list[Any], keep: bool) -> Any:
        return _require_type(list, ask(self, "calls", calls, keep))

    def _nbproctor_call(self, function: Any, arguments: list[Any]) -> Any:
        return ask(self, "call", function, tuple(arguments), {})

    def __eq__(self, other: object) -> bool:
        handle = handle_of(self)
        if handle.relation == "class" and handle.kind is other:
            return True
        if not _is_in_process_of(other, self):
            _note_uncalled(self, "__eq__")
            return False
        if handle.number == handle_of(other).number:
            return True
        return _ask_comparison("eq", self, other)

    def __ne__(self, other: object) -> bool:
        if not _is_in_process_of(other, self):
            return not self == other
        if handle_of(self).number == handle_of(other).number:
            return False
        return _ask_comparison("ne", self, other)

    def __bool__(self) -> bool:
        _note_uncalled(self, "__bool__", "__len__")
        return True

    def __dir__(self) -> list[str]:
        names = _convert(self, "dir")
        return [_require_type(str, name) for name in names]

    def __enter__(self) -> Any:
        return ask(self, "get", self, "__enter__")()

    def __exit__(
        self,
        kind: Any,
        error: Any,
        trace: Any,
    ) -> bool:
        """Leave a ``with``; an exception of the test is never suppressed."""
        error_class = None if error is None else built_in(type(error))
        done = ask(self, "get", self, "__exit__")(error_class, None, None)
        return isinstance(error, StudentRaised) and done is True

    def __iter__(self) -> Iterator[Any]:
        items = _apply(self, "iter")
        return items if isinstance(items, Proxy) else iter(items)

    def __next__(self) -> Any:
        try:
            return _apply(self, "next")
        except StudentError as error:
            if error.kind == "StopIteration":
                raise StopIteration from None
            raise

    def __instancecheck__(self, instance: Any) -> bool:
        return _require_type(bool, ask(self, "apply", "isinstance", [instance, self]))

    def __subclasscheck__(self, subclass: Any) -> bool:
        return _require_type(bool, ask(self, "apply", "issubclass", [subclass, self]))

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        raise TypeError("a test cannot derive a class from one of the student's")

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        # Pickle would import into the judge whatever student code names here.
        raise TypeError("a test cannot pickle an object of the student's")

    def __deepcopy__(self, memo: Any) -> Any:
        return _apply(self, "deepcopy")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        array = _convert(self, "array")
        return array if dtype is None else array.astype(dtype)


_BINARY = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul")
for _name in _BINARY:  # with a value of the test's in front: never the student's
    setattr(Proxy, f"__r{_name}__", partialmethod(_operate_reflected, _name))
for _method, _names in (
    (_convert, ("float", "hash", "int", "len", "repr", "str")),
    (_arithmetic, (*_BINARY, "neg", "pos")),
    (_order, ("lt", "le", "gt", "ge")),
    (_operate_in_judge, ("abs",)),
    (_apply, ("getitem", "setitem", "delitem")),
):
    for _name in _names:
        setattr(Proxy, f"__{_name}__", partialmethod(_method, _name))


class CallableProxy(Proxy):
    """A proxy of something that can be called."""

    __slots__ = ()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it in the student process."""
        return ask(self, "call", self, args, kwargs)


@lru_cache(256)
def _named_class(name: str) -> type:
    return type(name, (), {})


def _note_uncalled(proxy: Proxy, *methods: str) -> None:
    """Record methods that were not called: see `Session.end_test`."""
    handle_of(proxy).session.uncalled_methods.append((proxy, *methods))


def _equals(proxy: Proxy, *others: object, **named: object) -> Any:
    """Call the student's ``equals``, but never with a value of the test."""
    if not named and all(_is_in_process_of(other, proxy) for other in others):
        return ask(proxy, "get", proxy, "equals")(*others)
    _note_uncalled(proxy, "equals")
    return False


def _is_in_process_of(value: object, proxy: Proxy) -> TypeGuard[Proxy]:
    """Whether a value is an object of the same student process as a proxy's."""
    if not isinstance(value, Proxy):
        return False
    return handle_of(value).session is handle_of(proxy).session


def _ask_comparison(
    name: str,
    proxy: Proxy,
    other: Proxy,
) -> bool:
    """Ask the student to compare their own objects; anything but a bool is an error."""
    result = _apply(proxy, name, other)
    if type(result) is np.bool_:
        return bool(result)
    return _require_type(bool, result)


def built_in(kind: type) -> type:
    """Return the first built-in class among a class and its bases."""
    return next(base for base in kind.__mro__ if base.__module__ == "builtins")


def _require_type(kind: type[_T], value: object) -> _T:
    if type(value) is not kind:
        raise TypeError(f"expected {kind.__name__}, got {type(value).__name__}")
    return value
