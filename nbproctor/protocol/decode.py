"""Text and buffers to values: the receiving half of the codec.

A decoded value has exactly the type of its tag, never a subclass that a student wrote.
What cannot be read ends in a `ProtocolError`, whatever is wrong with it.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nbproctor.protocol.encode import (
    ALIGN,
    DTYPES,
    MAX_BITS,
    MAX_BYTES,
    MAX_DEPTH,
    MAX_KEYS,
    MAX_PARTS,
    MAX_RANGE,
    PLAIN,
    Mutable,
    Ref,
)
from nbproctor.protocol.frames import Frame, ProtocolError
from nbproctor.protocol.namedtuples import are_names, student_tuple
from nbproctor.protocol.scalars import build
from nbproctor.protocol.sharing import Before, Decoded

MAX_DIMS, MAX_ITEMS = 32, 1 << 40  # of an array
MAX_CLASSES = 20  # of named tuples in a message
_JSON = PLAIN | {int}
Resolve = Callable[[Ref], Any]
_read_json = json.JSONDecoder().raw_decode


def _refuse(ref: Ref) -> Any:
    raise ProtocolError(f"a reference ({ref.tag}) is not expected here")


class _Decoder:
    def __init__(
        self,
        raw: memoryview,
        resolve: Resolve,
        track: bool,
        request: Sequence[Mutable],
    ) -> None:
        self.raw, self.resolve, self.track = raw, resolve, track
        self.request = request  # the mutable parts of it
        self.at = self.keys = 0
        self.shared = False
        self.classes: set[tuple[str, tuple[str, ...]]] = set()  # of named tuples
        self.seen: list[tuple[Mutable, Any]] = []  # (None, None): not whole yet

    def value(self, x: Any, depth: int = 0) -> Any:
        if type(x) in _JSON:
            return x
        if type(x) is not list or not x or type(x[0]) is not str or depth > MAX_DEPTH:
            raise ProtocolError("a value has no tag, or is nested too deep")
        tag, items = x[0], x[1:]
        if tag in "ld" and len(tag) == 1:
            return self._container(tag, items, depth + 1)
        if tag in ("student", "judge", "library"):
            return self.resolve(Ref(tag, tuple(items)))
        if tag in ("a", "r", "n"):
            return self._array(tag, items)
        if tag in ("O", "U"):
            return self._objects(tag, items, depth + 1)
        if tag in ("request", "again"):
            return self._repeated(tag, items)
        if tag == "N":
            return self._labelled(items, depth + 1)
        if tag == "b":
            return bytes(self._take(_count(items)))
        if tag == "i":
            return self._big(items)
        inner = [self.value(item, depth + 1) for item in items]
        if tag == "t":
            return tuple(inner)
        if tag in ("s", "z"):
            self._check_keys(inner)
            if tag == "z":
                return frozenset(inner)
            keys = set(inner)
            self.seen.append((keys, set(keys) if self.track else None))
            return keys
        return self._rare(tag, inner)

    def _container(self, tag: str, items: list[Any], depth: int) -> Any:
        container: Any = [] if tag == "l" else {}
        number = self._begin()
        if tag == "l":
            if _JSON.issuperset(map(type, items)):
                container += items
            else:
                container += [self.value(item, depth) for item in items]
        else:
            inner = [self.value(item, depth) for item in items]
            if len(inner) % 2:
                raise ProtocolError("a dictionary has a key without a value")
            self._check_keys(inner[::2])
            container.update(zip(inner[::2], inner[1::2], strict=True))
        self.seen[number] = container, container.copy() if self.track else None
        return container

    def _begin(self) -> int:
        self.seen.append((None, None))
        return len(self.seen) - 1

    def _repeated(self, tag: str, items: list[Any]) -> Mutable:
        self.shared = True
        number = _count(items)
        if number >= len(self.request if tag == "request" else self.seen):
            raise ProtocolError("a message names a part that does not exist")
        if tag == "request":
            return self.request[number]
        part, _ = self.seen[number]
        if part is None:
            raise ProtocolError("a value contains itself")
        return part

    def _labelled(self, items: list[Any], depth: int) -> Any:
        match items:
            case [int(number), str(title), list(names), *rest]:
                about = title, tuple(names)
            case _:
                raise ProtocolError("a named tuple cannot be read")
        if not are_names(about[1]):
            raise ProtocolError("a named tuple has impossible names")
        self.classes.add(about)
        if len(self.classes) > MAX_CLASSES:
            raise ProtocolError("a message has too many kinds of named tuples")
        inner = [self.value(item, depth) for item in rest]
        return student_tuple(number, *about, inner)

    def _objects(self, tag: str, items: list[Any], depth: int) -> Any:
        shape = self._shape(items[0] if items else None)
        number = self._begin()
        head = 1 if tag == "O" else 2
        cells = [self.value(item, depth) for item in items[head:]]
        if math.prod(shape) != len(cells):
            raise ProtocolError("an array's shape and its items disagree")
        if tag == "U":
            width = _count(items[1:2])
            if not all(type(cell) is str for cell in cells):
                raise ProtocolError("an array of text holds something else")
            if 4 * width * max(len(cells), 1) > MAX_BYTES:
                raise ProtocolError("an array of text is too wide")
            array = np.array(cells, dtype=f"<U{width}").reshape(shape)
        else:
            array = np.empty(len(cells), dtype=object)
            for i, cell in enumerate(cells):
                array[i] = cell  # all at once, NumPy would ask each for its items
            array = array.reshape(shape)
        # Of objects the bytes are addresses, which hold as long as `cells` do.
        self.seen[number] = array, Before.of(array, cells) if self.track else None
        return array

    def _array(self, tag: str, items: list[Any]) -> Any:
        code = items[0] if items else None
        dtype = DTYPES.get(code) if type(code) is str else None
        if dtype is None or len(items) != (1 if tag == "n" else 2):
            raise ProtocolError("an array has an unknown dtype")
        shape = () if tag == "n" else self._shape(items[1])
        count = math.prod(shape)
        part = self._take(count * dtype.itemsize)
        if not count:
            array: Any = np.empty(shape, dtype)
        else:
            array = np.ndarray(shape, dtype, part)
            if dtype.kind == "b":
                flat = array.view(np.uint8)
                np.not_equal(flat, 0, out=array)  # a bool is 0 or 1, whatever came
        if tag == "n":
            return array[()]
        if tag == "r":
            array.flags.writeable = False
        self.seen.append((array, Before.of(array) if self.track else None))
        return array

    def _take(self, size: int) -> memoryview:
        end = self.at + size
        if end > len(self.raw):
            raise ProtocolError("an array is longer than its frame")
        part = self.raw[self.at : end]
        self.at = end + -size % ALIGN
        return part

    @staticmethod
    def _shape(shape: Any) -> tuple[int, ...]:
        if type(shape) is not list or len(shape) > MAX_DIMS:
            raise ProtocolError("an array has no shape")
        size = 1
        for n in shape:
            if type(n) is not int or not 0 <= n < MAX_ITEMS:
                raise ProtocolError("an array has an impossible shape")
            size *= n or 1  # NumPy counts so too, when there is nothing to count
        if size > MAX_ITEMS:
            raise ProtocolError("an array has an impossible shape")
        return tuple(shape)

    @staticmethod
    def _big(items: list[Any]) -> int:
        if len(items) != 1 or type(items[0]) is not str:
            raise ProtocolError("a long integer is not text")
        if len(items[0]) > MAX_BITS // 4 + 3:  # hexadecimal digits, and "-0x"
            raise ProtocolError("an integer is too long")
        return int(items[0], 16)

    def _check_keys(self, keys: list[Any]) -> None:
        """Refuse what cannot be a key, and keys made to collide.

        Python hashes integers without a secret: some ten thousand multiples of
        2**61 - 1 would keep the judge busy for minutes, and a million keys that only
        go the same way through the table for hours.
        """
        self.keys += len(keys)
        if self.keys > MAX_KEYS:
            raise ProtocolError(f"a message has more than {MAX_KEYS:,} keys")
        try:
            hashes = sorted(map(hash, keys))
        except TypeError as error:
            raise ProtocolError(
                "a dictionary or set has a key without a hash"
            ) from error
        run = 0
        for one, other in itertools.pairwise(hashes):
            run = run + 1 if one == other else 0
            if run > 100:
                raise ProtocolError(
                    "keys of a dictionary or set all have the same hash"
                )

    @staticmethod
    def _rare(tag: str, inner: list[Any]) -> Any:
        try:
            if tag == "c" and all(type(part) is float for part in inner):
                return complex(*inner)
            if tag == "S" and len(inner) == 3:
                return slice(*inner)
            if tag == "R" and all(type(part) is int for part in inner):
                numbers = range(*inner)
                if numbers[MAX_RANGE:]:
                    raise ProtocolError("a range is too long")
                return numbers
            if tag == "E" and not inner:
                return Ellipsis
            if tag == "v" and inner:
                return build(*inner)
        except (TypeError, ValueError) as error:
            raise ProtocolError(f"a value with tag {tag!r} cannot be read") from error
        raise ProtocolError(f"a value has an unknown tag {tag[:20]!r}")


def _count(items: list[Any]) -> int:
    if len(items) != 1 or type(items[0]) is not int or items[0] < 0:
        raise ProtocolError("a length is missing")
    return int(items[0])


def decode(
    frame: Frame,
    resolve: Resolve = _refuse,
    *,
    track: bool = False,
    request: Sequence[Mutable] = (),
) -> Decoded:
    """Decode a frame.

    Parameters
    ----------
    frame
        As received.
    resolve
        Makes something of a reference.
    track
        Remember the mutable parts, so that `Decoded.changes` can be asked.
    request
        Mutable parts of the request that this frame replies to.

    Raises
    ------
    ProtocolError
        Whatever is wrong with the frame.
    """
    decoder = _Decoder(memoryview(frame.raw), resolve, track, request)
    try:
        text = str(frame.text, "utf-8")
        if text.count("[") > MAX_PARTS:
            raise ProtocolError(f"a message has more than {MAX_PARTS:,} parts")
        parts, end = _read_json(text)
        if text[end:].strip(" "):
            raise ProtocolError("a message has more than one value")
        value = decoder.value(parts)
    except ProtocolError:
        raise
    except (ValueError, TypeError, RecursionError, MemoryError) as error:
        raise ProtocolError(f"a message cannot be read: {error!s:.100}") from error
    if decoder.at != len(decoder.raw):
        raise ProtocolError("a message holds more data than it names")
    return Decoded(value, decoder.seen, decoder.shared)
