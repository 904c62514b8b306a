"""Values to text and buffers: the sending half of the codec.

JSON scalars stand for themselves; any other value is a JSON list of a tag and its
fields, see `tags`. There is no pickle and no JSON object, so no message can name code
to run. Numbers of arrays are sent as raw buffers beside the text.
"""

from __future__ import annotations

import json
import math
from array import array
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from nbproctor.errors import NbproctorError
from nbproctor.protocol import scalars
from nbproctor.protocol.limits import (
    ALIGN,
    CODES,
    DTYPES,
    KINDS,
    MAX_BITS,
    MAX_BYTES,
    MAX_COMMAS,
    MAX_DEPTH,
    MAX_KEYS,
    MAX_NUMBERS,
    MAX_PARTS,
    MAX_RANGE,
    MAX_TEXT,
    NUMBERS,
    PLAIN,
)
from nbproctor.protocol.tags import Tag

_FEW = 8  # numbers in a list that are as quick as text
_COPIED = 1 << 14  # bytes of an array that are quicker copied than viewed
_SMALL = 1 << 63
NOTHING: Mapping[int, int] = {}
_UNFINISHED: list[Any] = []


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


# Turns what the codec does not know into a Ref, or into a plainer value to send.
Default = Callable[[Any], Any]
Mutable = Any  # a list, dict, set or array


def _refuse(value: Any) -> Any:
    raise UnsendableError(f"an object of type {type(value).__name__} cannot be sent")


@dataclass
class Encoded:
    """A value ready to be sent, and the mutable parts of it in order of appearance."""

    text: bytes
    buffers: list[Any]
    size: int
    mutables: list[Mutable]


class _Encoder:
    """Makes of a value what JSON can hold.

    `depth` counts the values around one, itself included.
    """

    def __init__(self, default: Default, received: Mapping[int, int]) -> None:
        self.default = default
        # What stands for a mutable part where it appears again, by its `id`.
        self.named = {key: [Tag.REQUEST, number] for key, number in received.items()}
        self.buffers: list[Any] = []
        self.size = self.keys = self.numbers = self.length = self.room = 0
        self.mutables: list[Mutable] = []

    def value(self, x: Any, depth: int) -> Any:
        kind = type(x)
        if kind in PLAIN or (kind is int and -_SMALL <= x < _SMALL):
            return x
        if depth > MAX_DEPTH:
            raise UnsendableError(f"a value is nested more than {MAX_DEPTH} deep")
        write = _MUTABLES.get(kind)
        if write is not None:
            return self.mutable(write, x, depth + 1)
        return _WRITERS.get(kind, _Encoder.other)(self, x, depth + 1)

    def values(self, items: Iterable[Any], depth: int) -> list[Any]:
        return [
            x
            if type(x) in PLAIN or (type(x) is int and -_SMALL <= x < _SMALL)
            else self.value(x, depth)
            for x in items
        ]

    def mutable(self, write: _Writer, x: Mutable, depth: int) -> Any:
        """Write a part in full once; from then on, its number stands for it."""
        node = self.named.get(id(x))
        if node is _UNFINISHED:
            raise UnsendableError("a value contains itself")
        if node is None:
            number = len(self.mutables)
            self.mutables.append(x)
            self.named[id(x)] = _UNFINISHED
            node = write(self, x, depth)
            self.named[id(x)] = [Tag.AGAIN, number]
        return node

    def list_(self, x: list[Any], depth: int) -> list[Any]:
        if len(x) >= _FEW and type(x[0]) in _NUMBERS_OF and len(set(map(type, x))) == 1:
            return self.list_of_numbers(x, _NUMBERS_OF[type(x[0])], depth)
        return [Tag.LIST, *self.values(x, depth)]

    def list_of_numbers(self, x: list[Any], dtype: str, depth: int) -> list[Any]:
        try:
            raw = array(NUMBERS[dtype], x).tobytes()
        except OverflowError:  # an integer of more than 64 bits
            return [Tag.LIST, *self.values(x, depth)]
        self.numbers += len(x)
        if self.numbers > MAX_NUMBERS:
            raise UnsendableError(f"lists hold more than {MAX_NUMBERS:,} numbers")
        self.buffer(raw, len(raw))
        return [Tag.NUMBERS, dtype, len(x)]

    def dict_(self, x: dict[Any, Any], depth: int) -> list[Any]:
        self.count_keys(len(x))
        return [Tag.DICT, *self.values(chain.from_iterable(x.items()), depth)]

    def set_(self, x: set[Any], depth: int) -> list[Any]:
        self.count_keys(len(x))
        return [Tag.SET, *self.values(x, depth)]

    def frozenset_(self, x: frozenset[Any], depth: int) -> list[Any]:
        self.count_keys(len(x))
        return [Tag.FROZENSET, *self.values(x, depth)]

    def count_keys(self, count: int) -> None:
        self.keys += count
        if self.keys > MAX_KEYS:
            raise UnsendableError(f"a value has more than {MAX_KEYS:,} keys")

    def tuple_(self, x: tuple[Any, ...], depth: int) -> list[Any]:
        return [Tag.TUPLE, *self.values(x, depth)]

    def integer(self, x: int, depth: int) -> list[Any]:
        if x.bit_length() > MAX_BITS:
            raise UnsendableError(f"an integer has more than {MAX_BITS:,} bits")
        return [Tag.INTEGER, hex(x)]

    def complex_(self, x: complex, depth: int) -> list[Any]:
        return [Tag.COMPLEX, x.real, x.imag]

    def bytes_(self, x: bytes, depth: int) -> list[Any]:
        self.buffer(x, len(x))
        return [Tag.BYTES, len(x)]

    def slice_(self, x: slice, depth: int) -> list[Any]:
        return [Tag.SLICE, *self.values((x.start, x.stop, x.step), depth)]

    def range_(self, x: range, depth: int) -> Any:
        if x[MAX_RANGE - self.length :]:
            return self.other(x, depth)
        self.length += len(x)
        return [Tag.RANGE, *self.values((x.start, x.stop, x.step), depth)]

    def ellipsis_(self, x: Any, depth: int) -> list[Any]:
        return [Tag.ELLIPSIS]

    def scalar(self, x: Any, depth: int) -> Any:
        fields = scalars.parts(x)
        if not fields:  # beyond the limits
            return self.other(x, depth)
        return [Tag.SCALAR, *self.values(fields, depth)]

    def numpy_scalar(self, x: np.generic, depth: int) -> Any:
        if x.dtype not in CODES:  # a date with an unusual unit
            return self.other(x, depth)
        raw = x.tobytes()
        self.buffer(raw, len(raw))
        return [Tag.NUMPY_SCALAR, CODES[x.dtype]]

    def array(self, x: np.ndarray[Any, Any], depth: int) -> Any:
        if x.dtype in CODES or x.dtype.str[1:] in DTYPES:
            return self.mutable(_Encoder.array_of_numbers, x, depth)
        if x.dtype.kind in "OU":
            return self.mutable(_Encoder.array_of_items, x, depth)
        ref = self.default(x)
        if type(ref) is not Ref:
            raise UnsendableError(f"an array of dtype {x.dtype} cannot be sent")
        return [ref.tag, *ref.fields]

    def array_of_numbers(self, x: np.ndarray[Any, Any], depth: int) -> list[Any]:
        self.count_length(x)
        code, native = CODES.get(x.dtype), x
        if code is None:  # the bytes are in the other order
            native = x.astype(x.dtype.newbyteorder("="))
            code = CODES[native.dtype]
        if x.nbytes < _COPIED:
            self.buffer(native.tobytes(), x.nbytes)
        else:
            flat = np.ascontiguousarray(native).reshape(-1)
            self.buffer(flat.view(np.uint8).data, x.nbytes)
        return [Tag.ARRAY if x.flags.writeable else Tag.READ_ONLY, code, [*x.shape]]

    def array_of_items(self, x: np.ndarray[Any, Any], depth: int) -> list[Any]:
        self.count_length(x)
        items = self.values(x.reshape(-1).tolist(), depth)
        if x.dtype.kind == "U":
            self.room += x.itemsize * max(x.size, 1)
            if self.room > MAX_BYTES:
                raise UnsendableError("arrays of text take too much room")
            return [Tag.TEXTS, [*x.shape], x.itemsize // 4, *items]
        return [Tag.OBJECTS, [*x.shape], *items]

    def count_length(self, x: np.ndarray[Any, Any]) -> None:
        """Count the rows and columns of an array with nothing in them."""
        if not x.size:
            self.length += math.prod(n or 1 for n in x.shape)
            if self.length > MAX_RANGE:
                raise UnsendableError("an empty array has too many rows or columns")

    def other(self, x: Any, depth: int) -> Any:
        if isinstance(x, np.generic) and x.dtype in CODES:
            return self.numpy_scalar(x, depth)
        plainer = self.default(x)
        if type(plainer) is Ref:
            return [plainer.tag, *plainer.fields]
        if type(plainer) is NamedItems:
            number, title, names, items = plainer
            inner = self.values(items, depth)
            return [Tag.NAMED_TUPLE, number, title, [*names], *inner]
        return self.value(plainer, depth - 1)

    def buffer(self, data: Any, size: int) -> None:
        if not size:
            return
        self.buffers.append(data)
        gap = -size % ALIGN
        if gap:
            self.buffers.append(bytes(gap))
        self.size += size + gap
        if self.size > MAX_BYTES:
            raise UnsendableError(f"a value is larger than {MAX_BYTES >> 20} MiB")


_Writer = Callable[[_Encoder, Any, int], Any]
_NUMBERS_OF = {float: "f8", int: "i8"}
_MUTABLES: dict[type, _Writer] = {
    list: _Encoder.list_,
    dict: _Encoder.dict_,
    set: _Encoder.set_,
}
_WRITERS: dict[type, _Writer] = {
    np.ndarray: _Encoder.array,
    tuple: _Encoder.tuple_,
    frozenset: _Encoder.frozenset_,
    int: _Encoder.integer,
    complex: _Encoder.complex_,
    bytes: _Encoder.bytes_,
    slice: _Encoder.slice_,
    range: _Encoder.range_,
    type(...): _Encoder.ellipsis_,
    **dict.fromkeys(scalars.KINDS.values(), _Encoder.scalar),
    **{kind.type: _Encoder.numpy_scalar for kind in KINDS},
}
_to_json = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


def encode(
    value: Any, default: Default = _refuse, received: Mapping[int, int] = NOTHING
) -> Encoded:
    """Encode a value.

    Parameters
    ----------
    value
        Anything; what the codec does not know is asked of `default`.
    default
        Returns a `Ref`, a `NamedItems`, or a plainer value to encode instead.
    received
        `id` of mutable parts of the request that this replies to → their numbers.

    Raises
    ------
    UnsendableError
        Too deep, too large, or refused by `default`.
    """
    encoder = _Encoder(default, received)
    try:
        text = _to_json(encoder.value(value, 0)).encode()
    except (RecursionError, RuntimeError, ValueError) as error:
        raise UnsendableError(f"a value cannot be sent: {error}") from error
    if len(text) > MAX_PARTS:
        parts = text.count(b"[") + text.count(b"{")
        if parts > MAX_PARTS or text.count(b",") > MAX_COMMAS:
            raise UnsendableError("a value has too many parts")
    if len(text) > MAX_TEXT:
        raise UnsendableError(f"a value needs more than {MAX_TEXT >> 20} MiB of text")
    # The raw part starts aligned, so that arrays can be views of it.
    text += b" " * (-len(text) % ALIGN)
    return Encoded(text, encoder.buffers, encoder.size, encoder.mutables)
