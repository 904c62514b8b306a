"""Values to text and buffers: the sending half of the codec.

JSON scalars stand for themselves; everything else is a JSON list whose first item is a
tag. There is no pickle and no JSON object, so nothing that arrives can name code to
run. Numbers of arrays travel as raw buffers beside the text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from nbproctor.errors import NbproctorError
from nbproctor.protocol.scalars import parts

MAX_BYTES = 256 << 20  # of one message; a student process has 1 GiB
MAX_TEXT = 32 << 20  # of its JSON part
MAX_DEPTH = 40
# What is short to say but long to count with: no signal ends ``sum(range(10**15))``.
MAX_RANGE = 1 << 24
MAX_BITS = 1 << 20
MAX_KEYS = 50_000  # of all its dictionaries and sets
MAX_PARTS = 1 << 21  # of a message: containers, arrays, handles
ALIGN = 16
PLAIN = frozenset((type(None), bool, float, str))
# Only native, fixed-size numbers: what a dtype string from outside may say.
_CODES = {np.dtype(code).str[1:] for code in "?bhilqBHILQefdgFDG"}
DTYPES = {code: np.dtype(code) for code in sorted(_CODES)}
_SMALL = 1 << 63
NOTHING: Mapping[int, int] = {}
_CONTAINERS: dict[type, str] = {list: "l", dict: "d", set: "s"}
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
    def __init__(self, default: Default, received: Mapping[int, int]) -> None:
        self.default = default
        # What stands for a mutable part where it appears again, by its `id`.
        self.named = {key: ["request", number] for key, number in received.items()}
        self.buffers: list[Any] = []
        self.size = self.keys = 0
        self.mutables: list[Mutable] = []

    def value(self, x: Any, depth: int = 0) -> Any:
        kind = type(x)
        if kind in PLAIN:
            return x
        if kind is int:
            if -_SMALL <= x < _SMALL:
                return x
            if x.bit_length() > MAX_BITS:
                raise UnsendableError(f"an integer has more than {MAX_BITS:,} bits")
            return ["i", hex(x)]
        if (named := self.named.get(id(x))) is not None:
            if named is _UNFINISHED:
                raise UnsendableError("a value contains itself")
            return named
        if kind is np.ndarray:
            return self._array(x, depth)
        if depth > MAX_DEPTH:
            raise UnsendableError(f"a value is nested more than {MAX_DEPTH} deep")
        depth += 1
        if kind is tuple:
            return ["t", *[self.value(item, depth) for item in x]]
        if kind in (dict, set, frozenset):
            self.keys += len(x)
            if self.keys > MAX_KEYS:
                raise UnsendableError(f"a value has more than {MAX_KEYS:,} keys")
        if kind in _CONTAINERS:
            number = self._begin(x)
            if kind is list and PLAIN.issuperset(map(type, x)):
                text = ["l", *x]
            else:
                inner = chain.from_iterable(x.items()) if kind is dict else x
                text = [_CONTAINERS[kind], *[self.value(item, depth) for item in inner]]
            self.named[id(x)] = ["again", number]
            return text
        if kind is frozenset:
            return ["z", *[self.value(item, depth) for item in x]]
        if kind is complex:
            return ["c", x.real, x.imag]
        if kind is bytes:
            self._buffer(x, len(x))
            return ["b", len(x)]
        if kind is slice:
            return ["S", *[self.value(v, depth) for v in (x.start, x.stop, x.step)]]
        if kind is range and not x[MAX_RANGE:]:
            return ["R", *[self.value(v, depth) for v in (x.start, x.stop, x.step)]]
        if x is Ellipsis:
            return ["E"]
        if issubclass(kind, np.generic) and x.dtype.str[1:] in DTYPES:
            raw = x.dtype.newbyteorder("=").type(x).tobytes()
            self._buffer(raw, len(raw))
            return ["n", x.dtype.str[1:]]
        if fields := parts(x):
            return ["v", *[self.value(field, depth) for field in fields]]
        plainer = self.default(x)
        if type(plainer) is Ref:
            return [plainer.tag, *plainer.fields]
        if type(plainer) is NamedItems:
            number, title, names, items = plainer
            inner = [self.value(item, depth) for item in items]
            return ["N", number, title, list(names), *inner]
        return self.value(plainer, depth)

    def _begin(self, x: Mutable) -> int:
        number = len(self.mutables)
        self.mutables.append(x)
        self.named[id(x)] = _UNFINISHED
        return number

    def _array(self, x: np.ndarray[Any, Any], depth: int) -> Any:
        code, shape = x.dtype.str[1:], list(x.shape)
        if code in DTYPES:
            self.named[id(x)] = ["again", self._begin(x)]
            plain = x if x.dtype.isnative else x.astype(x.dtype.newbyteorder("="))
            plain = np.ascontiguousarray(plain)
            self._buffer(plain.reshape(-1).view(np.uint8).data, plain.nbytes)
            return ["a" if x.flags.writeable else "r", code, shape]
        if x.dtype.kind not in "OU" or depth > MAX_DEPTH:
            ref = self.default(x)
            if type(ref) is not Ref:
                raise UnsendableError(f"an array of dtype {x.dtype} cannot be sent")
            return [ref.tag, *ref.fields]
        number = self._begin(x)
        items = [self.value(item, depth + 1) for item in x.reshape(-1).tolist()]
        self.named[id(x)] = ["again", number]
        if x.dtype.kind == "U":
            return ["U", shape, x.itemsize // 4, *items]
        return ["O", shape, *items]

    def _buffer(self, data: Any, size: int) -> None:
        if not size:
            return
        self.buffers.append(data)
        gap = -size % ALIGN
        if gap:
            self.buffers.append(bytes(gap))
        self.size += size + gap
        if self.size > MAX_BYTES:
            raise UnsendableError(f"a value is larger than {MAX_BYTES >> 20} MiB")


_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


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
        text = _encode(encoder.value(value)).encode()
    except (RecursionError, RuntimeError, ValueError) as error:
        raise UnsendableError(f"a value cannot be sent: {error}") from error
    if text.count(b"[") > MAX_PARTS:
        raise UnsendableError(f"a value has more than {MAX_PARTS:,} parts")
    if len(text) > MAX_TEXT:
        raise UnsendableError(f"a value needs more than {MAX_TEXT >> 20} MiB of text")
    # The raw part starts aligned, so that arrays can be views of it.
    text += b" " * (-len(text) % ALIGN)
    return Encoded(text, encoder.buffers, encoder.size, encoder.mutables)
