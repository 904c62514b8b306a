"""The raw part of a message that came, and how much the message asks for in all."""

from __future__ import annotations

import itertools
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nbproctor.protocol.frames import ProtocolError
from nbproctor.protocol.limits import ALIGN, DTYPES, MAX_KEYS, MAX_RANGE
from nbproctor.protocol.sent import Mutable, Ref

# Bytes of a fixed size; of no size, an array could be of any length.
_BYTES = re.compile("S[1-9][0-9]{0,8}")
MAX_DIMS = 32  # of an array
_NOT_YET = None, None
_BOOL = DTYPES["b1"]
Resolve = Callable[[Ref], Any]
_ALIKE = 100  # keys that may have the same hash


class Received(ABC):
    """What the values of one message draw on.

    Parameters
    ----------
    raw
        The raw part; values take their bytes from it one after the other.
    resolve
        Makes something of a reference.
    track
        Whether to remember what the mutable parts are now.
    request
        Mutable parts of the request that this message replies to.
    libraries
        Those whose values may be in it.
    """

    at = keys = numbers = length = room = 0

    def __init__(
        self,
        raw: memoryview,
        resolve: Resolve,
        track: bool,
        request: Sequence[Mutable],
        libraries: frozenset[str],
    ) -> None:
        self.raw, self.resolve, self.track = raw, resolve, track
        self.request, self.libraries = request, libraries
        self.seen: list[tuple[Mutable, Any]] = []  # (None, None): not whole yet

    @abstractmethod
    def value(self, x: Any, depth: int) -> Any:
        """Read a value; `depth` counts the values around it."""

    @abstractmethod
    def fields(self, node: list[Any], depth: int, start: int = 1) -> list[Any]:
        """Read the fields of a node from `start` on; `depth` is that of the node."""

    def begin(self) -> int:
        """Give a mutable part its number: they are counted in order of beginning."""
        seen = self.seen
        seen.append(_NOT_YET)
        return len(seen) - 1

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
        if not count:
            return np.empty(shape, dtype)
        raw = self.take(count * dtype.itemsize)
        array: np.ndarray[Any, Any] = np.ndarray(shape, dtype, raw)
        if dtype is _BOOL:
            flat = array.view(np.uint8)
            np.not_equal(flat, 0, out=array)  # a bool is 0 or 1, whatever came
        return array

    def shape(self, sizes: Any = None) -> tuple[int, ...]:
        """Return the shape of an array, if this is one."""
        if type(sizes) is not list or len(sizes) > MAX_DIMS:
            raise ProtocolError("an array has no shape, or too many dimensions")
        for n in sizes:
            if type(n) is not int or n < 0:
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
        if len(keys) <= _ALIKE:
            return
        hashes = sorted(map(hash, keys))
        run = 0
        for one, other in itertools.pairwise(hashes):
            run = run + 1 if one == other else 0
            if run > _ALIKE:
                raise ProtocolError(
                    "keys of a dictionary or set all have the same hash"
                )


def count_of(fields: list[Any]) -> int:
    """Return the one field of a node that is a length."""
    if len(fields) != 1 or type(fields[0]) is not int or fields[0] < 0:
        raise ProtocolError("a length is missing")
    return int(fields[0])
