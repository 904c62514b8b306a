"""Stand-ins for a student's objects, in the process of the reference solutions.

A reference's method works on a student's object. Methods of the class that are here
run here; attributes of the object are fetched all at once when the first is needed,
and what was changed goes back before anything else runs over there.
"""

from __future__ import annotations

import hashlib
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from nbproctor.protocol.codec import encode
from nbproctor.protocol.rpc import Connection
from nbproctor.student.remote import Lent, number_of

_MUTABLE = list, dict, set, np.ndarray
# Of a class's special methods, those that would make a stand-in something else.
_NOT_SPECIAL = {
    *("__class__", "__del__", "__delattr__", "__dict__", "__doc__", "__getattr__"),
    *("__getattribute__", "__init__", "__init_subclass__", "__module__", "__new__"),
    *("__setattr__", "__slots__", "__weakref__", "__annotations__", "__qualname__"),
}
Default = Callable[[Any], Any]


class Shared(Lent):
    """Stand-in for a student's object whose class this process has too."""

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        """The class in this process, which `isinstance` and `super` use."""
        return object.__getattribute__(self, "_nbproctor_kind")

    def __getattr__(self, name: str) -> Any:
        state = object.__getattribute__(self, "_nbproctor_states")
        return state.get(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        object.__getattribute__(self, "_nbproctor_states").set(self, name, value)


class States:
    """Attributes of the student's objects, cached for the time of one call.

    Parameters
    ----------
    connection
        The connection to the student's process, by way of the judge.
    default
        How the process names objects: two values with the same encoding are the same.
    """

    def __init__(self, connection: Connection, default: Default) -> None:
        self._connection, self._default = connection, default
        self._objects: dict[int, Shared] = {}
        self._values: dict[int, dict[str, Any]] = {}
        self._marks: dict[int, dict[str, bytes]] = {}
        self._stale: set[int] = set()
        self._depth = 0

    def ask(self, request: str, *arguments: Any) -> Any:
        """Ask the student's process: it sees all changes, and may make changes."""
        self.send_back()
        try:
            return self._connection.ask(request, *arguments)
        finally:
            self._stale |= self._values.keys()

    def stand_in(self, kind: type, number: int, label: str, *, exact: bool) -> Shared:
        """Return the one stand-in for an object of the student's process.

        Parameters
        ----------
        kind
            The class that both processes have.
        number, label
            What the object is named by.
        exact
            Whether the object is of that class itself. If it is of one that a student
            has derived from it, that one's methods come first.
        """
        known = self._objects.get(number)
        if known is None:
            special = {
                name: value
                for base in reversed(kind.__mro__[:-1])
                for name, value in vars(base).items()
                if exact and name[:2] == "__" == name[-2:] and name not in _NOT_SPECIAL
            }
            known = type("Shared", (Shared,), special)(self, number, label)
            object.__setattr__(known, "_nbproctor_kind", kind)
            object.__setattr__(known, "_nbproctor_exact", exact)
            object.__setattr__(known, "_nbproctor_states", self)
            self._objects[number] = known
        return known

    def get(self, shared: Shared, name: str) -> Any:
        """Get an attribute of the object, of its class here, or of the student's."""
        number = number_of(shared)
        values = self._fresh(number)
        if name in values:
            return values[name]
        special = name[:2] == "__" == name[-2:]
        if not object.__getattribute__(shared, "_nbproctor_exact") and not special:
            return self.ask("get", number, name)
        kind = object.__getattribute__(shared, "_nbproctor_kind")
        for base in kind.__mro__[:-1]:
            if name in vars(base):
                held = vars(base)[name]
                if isinstance(held, property) and held.fget is not None:
                    return held.fget(shared)
                if isinstance(held, classmethod):
                    return types.MethodType(held.__func__, kind)
                if isinstance(held, types.FunctionType):
                    return types.MethodType(held, shared)
                return getattr(kind, name)
        if special:
            raise AttributeError(name)
        return self.ask("get", number, name)

    def set(self, shared: Shared, name: str, value: Any) -> None:
        """Set an attribute; it is written back with the other changes."""
        held = getattr(object.__getattribute__(shared, "_nbproctor_kind"), name, None)
        if isinstance(held, property):
            if held.fset is None:
                raise AttributeError(f"attribute {name!r} cannot be set")
            held.fset(shared, value)
            return
        number = number_of(shared)
        values = self._fresh(number)
        if name not in values or values[name] is not value:
            values[name] = value
            self._marks[number][name] = b"new"

    @contextmanager
    def visit(self) -> Iterator[None]:
        """Answer one call; forget all attributes when the outermost call ends."""
        self._depth += 1
        self._stale |= self._values.keys()
        try:
            yield
        finally:
            self._depth -= 1
            self.send_back()
            if self._depth == 0:
                self._objects.clear()
                self._values.clear()
                self._marks.clear()
                self._stale.clear()

    def send_back(self) -> None:
        """Write changes back into the objects of the student's process."""
        for number, values in list(self._values.items()):
            marks = self._marks[number]
            new: dict[str, Any] = {}
            changed: dict[str, Any] = {}
            for name, value in values.items():
                mark = self._mark(value)
                if mark != marks[name]:
                    (new if marks[name] == b"new" else changed)[name] = value
                    marks[name] = mark
            if new or changed:
                self._connection.ask("update", number, new, changed)

    def _fresh(self, number: int) -> dict[str, Any]:
        values = self._values.get(number)
        if values is not None and number not in self._stale:
            return values
        self._stale.discard(number)
        now = self._connection.ask("vars", number)
        values = self._values.setdefault(number, {})
        marks = self._marks.setdefault(number, {})
        for name in [name for name in values if name not in now]:
            del values[name], marks[name]
        for name, value in now.items():
            mark = self._mark(value)
            if marks.get(name) != mark:
                values[name], marks[name] = value, mark
        return values

    def _mark(self, value: Any) -> bytes:
        """Return what tells whether a value has changed."""
        libraries = self._connection.libraries
        packed = encode(value, self._default, libraries=libraries)
        digest = hashlib.blake2b(packed.text)
        for part in packed.buffers:
            digest.update(part)
        return digest.digest()


def write_into(target: Any, new: dict[str, Any], changed: dict[str, Any]) -> None:
    """Set attributes of an object; those that were changed in place, in place."""
    for name, value in changed.items():
        old: Any = getattr(target, name, None)
        if type(old) is not type(value) or type(old) not in _MUTABLE:
            new = {**new, name: value}
        elif type(old) is list:
            old[:] = value
        elif type(old) is not np.ndarray:
            old.clear()
            old.update(value)
        elif old.shape == value.shape and old.dtype == value.dtype:
            old[...] = value
        else:
            new = {**new, name: value}
    for name, value in new.items():
        setattr(target, name, value)
