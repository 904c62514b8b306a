"""The raw part of a message that came, and how much the message asks for in all."""

from __future__ import annotations

import itertools
import math
import re
from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from nbproctor.protocol.frames import ProtocolError
from nbproctor.protocol.limits import ALIGN, DTYPES, MAX_KEYS, MAX_RANGE
from nbproctor.protocol.sent import Mutable

# Bytes of a fixed size; of no size, an array could be of any length.
_BYTES = re.compile("S[1-9][0-9]{0,8}")
MAX_DIMS = 32  # of an array


class Received(ABC):
    """What the values of one message draw on.

    Parameters
    ----------
    raw
        The raw part; values take their bytes from it one after the other.
    track
        Whether to remember what the mutable parts are now.
    libraries
        Those whose values may be in it.
    """

    def __init__(self, raw: memoryview, track: bool, libraries: frozenset[str]) -> None:
        self.raw, self.track, self.libraries = raw, track, libraries
        self.seen: list[tuple[Mutable, Any]] = []  # (None, None): not whole yet
        self.at = self.keys = self.numbers = self.length = self.room = 0

    @abstractmethod
    def value(self, x: Any, depth: int) -> Any:
        """Read a value; `depth` counts the values around it."""

    @abstractmethod
    def fields(self, node: list[Any], depth: int, start: int = 1) -> list[Any]:
        """Read the fields of a node from `start` on; `depth` is that of the node."""

    def begin(self) -> int:
        """Give a mutable part its number: they are counted in order of beginning."""
        self.seen.append((None, None))
        return len(self.seen) - 1

    def end(self, number: int, part: Mutable) -> Mutable:
        """Enter a mutable part that is whole."""
        self.seen[number] = part, part.copy() if self.track else None
        return part

    def numpy_array(self, code: Any, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
        """Return the next bytes as an array; `code` is its dtype's, if nobody lies."""
        dtype = DTYPES.get(code)
        if dtype is None and type(code) is str and _BYTES.fullmatch(code):
            dtype = np.dtype(code)
        if dtype is None:
            raise ProtocolError("an array has an unknown dtype")
        count = math.prod(shape)
        raw = self.take(count * dtype.itemsize)
        if not count:
            return np.empty(shape, dtype)
        array: np.ndarray[Any, Any] = np.ndarray(shape, dtype, raw)
        if dtype.kind == "b":
            flat = array.view(np.uint8)
            np.not_equal(flat, 0, out=array)  # a bool is 0 or 1, whatever came
        return array

    def shape(self, sizes: Any = None) -> tuple[int, ...]:
        """Return the shape of an array, if this is one."""
        if type(sizes) is not list or len(sizes) > MAX_DIMS:
            raise ProtocolError("an array has no shape, or too many dimensions")
        if not all(type(n) is int and n >= 0 for n in sizes):
            raise ProtocolError("an array has an impossible shape")
        if 0 in sizes:
            self.length += math.prod(n or 1 for n in sizes)
            if self.length > MAX_RANGE:
                raise ProtocolError("an empty array has too many rows or columns")
        return tuple(sizes)

    def take(self, size: int) -> memoryview:
        """Return the next bytes of the raw part."""
        end = self.at + size
        if end > len(self.raw):
            raise ProtocolError("a value is longer than the raw part of its frame")
        part = self.raw[self.at : end]
        self.at = end + -size % ALIGN
        return part

    def check_keys(self, keys: list[Any]) -> None:
        """Refuse what cannot be a key, and keys made to collide.

        Python hashes integers without a secret: some ten thousand multiples of
        2**61 - 1 would keep the judge busy for minutes, and a million keys that only
        go the same way through the table for hours.
        """
        self.keys += len(keys)
        if self.keys > MAX_KEYS:
            raise ProtocolError(f"a message has more than {MAX_KEYS:,} keys")
        hashes = sorted(map(hash, keys))
        run = 0
        for one, other in itertools.pairwise(hashes):
            run = run + 1 if one == other else 0
            if run > 100:
                raise ProtocolError(
                    "keys of a dictionary or set all have the same hash"
                )


def count_of(fields: list[Any]) -> int:
    """Return the one field of a node that is a length."""
    if len(fields) != 1 or type(fields[0]) is not int or fields[0] < 0:
        raise ProtocolError("a length is missing")
    return int(fields[0])
