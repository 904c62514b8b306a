"""Objects of a test that student code may use: those that the test passes to it.

The student gets a number for such an object, may call it, and may get and set its
public attributes. A test can pass only objects that test cells themselves define, so no
library object of the judge's can be reached. Library functions and classes are sent by
name.
"""

from __future__ import annotations

import builtins
import inspect
import sys
import types
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any, ClassVar

import cloudpickle
import numpy as np

from nbproctor.errors import NbproctorError
from nbproctor.judge.proxy import ProcessEnded
from nbproctor.protocol.frames import (
    ClosedError,
    LateError,
    ProtocolError,
    UnsendableError,
)
from nbproctor.protocol.objects import NumberedObjects, Ref

# The `__name__` that marks what test cells define. It is a kernel's: many a test cell
# runs its checks only ``if __name__ == "__main__"``.
MODULE = "__main__"
_FUNCTIONS = (types.FunctionType, types.MethodType, partial)
_NUMBERS = {bool, int, float, type(None), np.float64}
_MAX_SHORT = 1 << 16  # bytes of an array that is sent before it is asked for
_LIBRARY = (type, types.BuiltinFunctionType, types.FunctionType, np.ufunc)


class RefusedError(NbproctorError, AttributeError):
    """The student asked for something of a test's object that is not public."""


class NotExportableError(UnsendableError):
    """A test passes an object that it does not define: the test is broken."""


class Expired:
    """Placeholder for an object of an earlier test."""


class ReferenceFunction:
    """A function of a reference solution that student code may call.

    It runs in a separate process, and only plain data passes.
    """

    calls: ClassVar[int] = 0  # of all of them, so far

    def __init__(self, function: Any) -> None:
        self._function = function  # a proxy

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it there; if that process ends, the student's process ends, too."""
        ReferenceFunction.calls += 1
        try:
            return self._function(*args, **kwargs)
        except ProcessEnded as end:
            kind = LateError if end.reason == "timeout" else ClosedError
            raise kind(f"a reference solution's process has ended ({end})") from None


class Exports(NumberedObjects):
    """The objects that one test has passed to student code."""

    def clear(self) -> None:
        """Take back the test's objects; numbers are never used again.

        An object that a student kept from one test must not answer the next one.
        """
        self.keep_only(
            number
            for number, value in self.objects.items()
            if type(value) is ReferenceFunction
        )

    def export(self, value: Any) -> Ref:
        """Return a number for an object; a test can pass only what it defines."""
        kind: Any = type(value)
        if kind is Expired:
            raise UnsendableError("an object belongs to a test that is over")
        if is_of_test(value):
            code, names = _methods(kind)
            number = self.number_of(value)
            numbers = public_attributes(value, _is_number)
            return Ref("judge", (number, kind.__name__, code, numbers, *names))
        if isinstance(value, types.ModuleType):
            return Ref("library", (value.__name__, ""))
        library_object = value.type if isinstance(value, np.dtype) else value
        if isinstance(library_object, _LIBRARY):
            module = getattr(library_object, "__module__", None) or "numpy"
            name = library_object.__name__
            if getattr(sys.modules.get(module), name, None) is library_object:
                return Ref("library", (module, name))
        raise NotExportableError(
            "A test can pass numbers, text, containers, arrays, and its own functions "
            f"and objects to student code, but no {kind.__name__}."
        )

    def find(self, number: int) -> Any:
        """Return the object with a number, if this test passed it."""
        if number not in self.objects:
            raise RefusedError("this object belongs to a test that is over")
        return self.objects[number]

    def resolve(self, number: Any) -> Any:
        """Return the object that the student sends back, if it is still valid."""
        if type(number) is not int or number not in range(self.next_number):
            raise ProtocolError(
                "the student's code refers to an object that it was never given"
            )
        return self.objects.get(number, Expired())

    def get(self, target: Any, name: str) -> Any:
        """Get a public attribute that a test's own code made, not a library's."""
        if not name.startswith("_"):
            members = _members_of(_classes(target))
            names = members | getattr(target, "__dict__", {})
            if name in names or "__getattr__" in members:
                value = getattr(target, name)
                if not isinstance(value, types.ModuleType):
                    return value
        raise RefusedError(
            f"the test's {type(target).__name__} has no attribute {name!r}"
        )

    def set(
        self,
        target: Any,
        name: str,
        value: Any,
    ) -> None:
        """Set a public attribute of an object; never a method, and never of a class."""
        descriptor = inspect.getattr_static(_classes(target)[0], name, None)
        fixed = (type, ReferenceFunction, *_FUNCTIONS)
        is_fixed = isinstance(target, fixed) or callable(descriptor)
        if is_fixed or name.startswith("_"):
            raise RefusedError(
                f"attribute {name!r} of the test's {type(target).__name__} cannot be "
                "set"
            )
        setattr(target, name, value)


def public_attributes(
    target: Any,
    is_sent: Callable[[Any], bool] = lambda value: True,
) -> dict[str, Any]:
    """Return the public attributes of an object, or those that go to the student."""
    return {
        name: value
        for name, value in getattr(target, "__dict__", {}).items()
        if not name.startswith("_") and is_sent(value)
    }


def _is_number(value: Any) -> bool:
    return type(value) in _NUMBERS


def is_short(value: Any) -> bool:
    """Whether an attribute is quickly sent with another one."""
    if type(value) is np.ndarray:
        return value.dtype.kind in "biufc" and value.nbytes <= _MAX_SHORT
    return _is_number(value) or is_of_test(value)


def _members_of(classes: Sequence[type]) -> dict[str, Any]:
    """Return what test cells define in their own classes among these, as of now."""
    members: dict[str, Any] = {}
    for kind in reversed(classes):
        if kind.__module__ == MODULE:
            members |= vars(kind)
    return members


def _methods(kind: type) -> tuple[bytes, list[str]]:
    """Return the methods of a class that run in the student's process, and names.

    Names are those of other public methods, which the student may call without asking.
    """
    by_value = []
    names = []
    for name, method in _members_of(kind.__mro__).items():
        if not isinstance(method, _FUNCTIONS) or not is_of_test(method):
            continue
        if hasattr(method, "_nbproctor_by_value"):
            by_value.append((name, method))
        elif not name.startswith("_"):
            names.append(name)
    return _serialize(*by_value), names


@cache  # by the methods themselves, because a test may replace those of a class
def _serialize(*methods: tuple[str, Any]) -> bytes:
    """Serialize methods for the student's process.

    It is not trusted, and only it unpickles anything.
    """
    data: bytes = cloudpickle.dumps(dict(methods))
    return data


def is_of_test(value: Any) -> bool:
    """Whether test cells define an object: a function, or of which class it is."""
    if isinstance(value, types.MethodType):
        return is_of_test(value.__func__)
    if isinstance(value, partial):
        return is_of_test(value.func)
    if isinstance(value, types.FunctionType):
        return value.__globals__.get("__name__") == MODULE
    if type(value) in (types.SimpleNamespace, ReferenceFunction):
        return True
    return any(kind.__module__ == MODULE for kind in _classes(value))


def _classes(target: Any) -> tuple[type, ...]:
    return target.__mro__ if isinstance(target, type) else type(target).__mro__


def builtin_name(error: BaseException) -> str:
    """Name of the first class of an exception that is built in and takes one text."""
    names = (
        kind.__name__
        for kind in type(error).__mro__
        if getattr(builtins, kind.__name__, None) is kind
        and not issubclass(kind, UnicodeError | BaseExceptionGroup)
    )
    return str(next(names))
