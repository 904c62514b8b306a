"""Handles: numbers by which the judge names the objects that stay in this process."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from nbproctor.protocol.objects import ErrorItems, NamedItems, Ref, are_names
from nbproctor.student.plain import (
    about_error_class,
    as_base,
    library_of,
    plain_base,
)
from nbproctor.student.remote import JudgeObject, number_of

_NAMED = (type, types.FunctionType, types.MethodType, types.BuiltinFunctionType)


class Handles:
    """Objects that the judge may name.

    Parameters
    ----------
    base_of
        Returns the reference solution's class that a student's class derives from.

    Attributes
    ----------
    objects : dict
        Number → object.
    """

    def __init__(self, base_of: Callable[[type], type | None]) -> None:
        self.objects: dict[int, Any] = {}
        self._numbers: dict[int, int] = {}  # id of an object → its number
        self._next = 0
        self._base_of = base_of

    def keep_only(self, numbers: Iterable[int]) -> None:
        """Forget all other objects."""
        kept = {n: self.objects[n] for n in numbers if n in self.objects}
        self.objects.clear()
        self.objects.update(kept)
        self._numbers.clear()
        self._numbers.update((id(value), n) for n, value in kept.items())

    def default(self, value: Any) -> Any:
        """Turn a subclass into plain data, and any other object into a handle."""
        kind = type(value)
        if issubclass(kind, JudgeObject):
            return Ref("judge", (number_of(value),))
        if issubclass(kind, np.ndarray):
            if kind is not np.ndarray:
                return np.ndarray.view(value, np.ndarray)
        elif issubclass(kind, tuple):
            items = tuple(tuple.__iter__(value))
            names = getattr(kind, "_fields", None)
            if not are_names(names) or len(names) != len(items):
                return items
            return NamedItems(self._number(value), kind.__name__[:100], names, items)
        else:
            base = plain_base(kind)
            if base is not None:
                return as_base(base, value)
        if issubclass(kind, type) and issubclass(value, Exception):
            return ErrorItems(self._number(value), *about_error_class(value))
        label = value.__name__ if issubclass(kind, _NAMED) else ""
        named = label if type(label) is str else ""
        reference = self._base_of(kind)
        if reference is not None and reference is not kind:
            kind, named = reference, kind.__name__
        about = kind.__name__[:100], named[:100], callable(value)
        return Ref("student", (self._number(value), *about, *library_of(value)))

    def _number(self, value: Any) -> int:
        number = self._numbers.get(id(value))
        if number is None:
            number = self._next
            self._next += 1
            self._numbers[id(value)] = number
            self.objects[number] = value
        return number
