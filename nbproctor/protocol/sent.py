"""The raw part of a message to send, and how much the message holds in all."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from nbproctor.errors import NbproctorError
from nbproctor.protocol.limits import (
    ALIGN,
    MAX_BYTES,
    MAX_KEYS,
    MAX_NUMBERS,
    MAX_RANGE,
)
from nbproctor.protocol.tags import Tag

_UNFINISHED = -1


class UnsendableError(NbproctorError, TypeError):
    """A value cannot be sent; the connection is still good."""


class Ref(NamedTuple):
    """An object that stays where it is, named by whose it is.

    The tag is ``student``, ``judge`` or, for what both can import, ``library``.
    """

    tag: str
    fields: tuple[Any, ...]


class NamedItems(NamedTuple):
    """A named tuple of the student's: its number, its class's name, names and items."""

    number: int
    title: str
    names: tuple[str, ...]
    items: tuple[Any, ...]


class ErrorItems(NamedTuple):
    """An exception class of the student's: number, name, built-in class, bases."""

    number: int
    title: str
    builtin: str
    bases: tuple[Any, ...]


# Turns what the codec does not know into one of these, or a plainer value to send.
Default = Callable[[Any], Any]
Mutable = Any  # a list, dict, set, array or table
Node = Any  # what JSON can hold: a value by itself, or a list of a tag and its fields


@dataclass(slots=True)
class Encoded:
    """A value ready to be sent, and the mutable parts of it in order of appearance."""

    text: bytes
    buffers: list[Any]
    size: int
    mutables: list[Mutable]


class Sent(ABC):
    """What the values of one message add up to: the counterpart of `Received`.

    Parameters
    ----------
    default
        Names what the codec does not know.
    received
        `id` of mutable parts of the request that this message replies to → their
        numbers.
    libraries
        Those whose values the receiver takes.
    """

    size = keys = numbers = length = room = 0

    def __init__(
        self,
        default: Default,
        received: Mapping[int, int],
        libraries: frozenset[str],
    ) -> None:
        self.default, self.received, self.libraries = default, received, libraries
        self.buffers: list[Any] = []
        self.mutables: list[Mutable] = []
        self.places: dict[int, int] = {}  # numbers of the mutable parts, by `id`
        # Values of libraries that are taken apart, by `id`: see `whole`.
        self.apart: dict[int, tuple[Any, tuple[Any, ...]]] = {}

    @abstractmethod
    def value(self, x: Any, depth: int) -> Node:
        """Write a value; `depth` counts the values around it, itself included."""

    @abstractmethod
    def values(self, items: list[Any], depth: int) -> list[Node]:
        """Write the values of a list in their places."""

    def mutable(self, write: Writer, x: Mutable, depth: int) -> Node:
        """Write a part in full once; from then on, its number stands for it."""
        key, places = id(x), self.places
        number = places.get(key)
        if number is None:
            if key in self.received:
                return [Tag.REQUEST, self.received[key]]
            number = len(self.mutables)
            self.mutables.append(x)
            places[key] = _UNFINISHED
            node = write(self, x, depth)
            places[key] = number
            return node
        if number == _UNFINISHED:
            raise UnsendableError("a value contains itself")
        return [Tag.AGAIN, number]

    def buffer(self, data: Any, size: int) -> None:
        """Append bytes to the raw part."""
        if not size:
            return
        self.buffers.append(data)
        gap = -size % ALIGN
        if gap:
            self.buffers.append(bytes(gap))
        self.size += size + gap
        if self.size > MAX_BYTES:
            raise UnsendableError(f"a value is larger than {MAX_BYTES >> 20} MiB")

    def count_keys(self, count: int) -> None:
        """Count keys of dictionaries and sets."""
        self.keys += count
        if self.keys > MAX_KEYS:
            raise UnsendableError(f"a value has more than {MAX_KEYS:,} keys")

    def count_numbers(self, count: int) -> None:
        """Count numbers in lists of nothing else."""
        self.numbers += count
        if self.numbers > MAX_NUMBERS:
            raise UnsendableError(f"lists hold more than {MAX_NUMBERS:,} numbers")

    def count_length(self, x: np.ndarray[Any, Any]) -> None:
        """Count the rows and columns of an array with nothing in them."""
        if not x.size:
            self.length += math.prod(n or 1 for n in x.shape)
            if self.length > MAX_RANGE:
                raise UnsendableError("an empty array has too many rows or columns")

    def count_room(self, x: np.ndarray[Any, Any]) -> None:
        """Count the memory of an array of text, which its items need not fill."""
        self.room += x.itemsize * max(x.size, 1)
        if self.room > MAX_BYTES:
            raise UnsendableError("arrays of text take too much room")


Writer = Callable[[Any, Any, int], Node]  # of a `Sent`, a value and its depth
