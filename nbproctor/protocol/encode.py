"""Values to text and buffers: the sending half of the codec.

JSON scalars stand for themselves; any other value is a JSON list of a tag and its
fields, see `tags`. There is no pickle and no JSON object, so no message can name code
to run. Numbers of arrays are sent as raw buffers beside the text.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from itertools import chain
from typing import Any

import numpy as np

from nbproctor.protocol import scalars, whole
from nbproctor.protocol.arrays import (
    is_sent,
    write_array,
    write_dtype,
    write_scalar,
)
from nbproctor.protocol.limits import (
    ALIGN,
    CODES,
    KINDS,
    MAX_BITS,
    MAX_COMMAS,
    MAX_DEPTH,
    MAX_PARTS,
    MAX_RANGE,
    MAX_TEXT,
    NUMBERS,
    PLAIN,
)
from nbproctor.protocol.sent import (
    Default,
    Encoded,
    ErrorItems,
    NamedItems,
    Ref,
    Sent,
    UnsendableError,
    Writer,
)
from nbproctor.protocol.tags import Tag
from nbproctor.protocol.text import write

_AS_IT_IS = PLAIN - {float}
_LIST, _DICT, _TUPLE = Tag.LIST.value, Tag.DICT.value, Tag.TUPLE.value
_FEW = 8  # numbers in a list that are as quick as text
_SMALL = 1 << 63
NOTHING: Mapping[int, int] = {}


def _refuse(value: Any) -> Any:
    raise UnsendableError(f"an object of type {type(value).__name__} cannot be sent")


class _Encoder(Sent):
    """Makes of a value what JSON can hold."""

    finite = True  # all floats of it, so far

    def value(self, x: Any, depth: int) -> Any:
        """Write a value."""
        kind = type(x)
        if kind in _AS_IT_IS or (kind is int and -_SMALL <= x < _SMALL):
            return x
        if kind is float:
            if x - x != 0:
                self.finite = False
            return x
        if depth > MAX_DEPTH:
            raise UnsendableError(f"a value is nested more than {MAX_DEPTH} deep")
        write = _WRITERS.get(kind)
        if write is None:
            return self.other(x, depth + 1)
        return write(self, x, depth + 1)

    def values(self, items: list[Any], depth: int) -> list[Any]:
        """Write the values of a list, which may begin with a tag, in their places."""
        for place, x in enumerate(items):
            if type(x) not in _AS_IT_IS:
                items[place] = self.value(x, depth)
        return items

    def list_(self, x: list[Any], depth: int) -> Any:
        return self.mutable(_Encoder.items_of_list, x, depth)

    def dict_(self, x: dict[Any, Any], depth: int) -> Any:
        return self.mutable(_Encoder.items_of_dict, x, depth)

    def set_(self, x: set[Any], depth: int) -> Any:
        return self.mutable(_Encoder.items_of_set, x, depth)

    def items_of_list(self, x: list[Any], depth: int) -> list[Any]:
        if len(x) >= _FEW and type(x[0]) in _NUMBERS_OF and len(set(map(type, x))) == 1:
            return self.list_of_numbers(x, _NUMBERS_OF[type(x[0])], depth)
        return self.values([_LIST, *x], depth)

    def list_of_numbers(self, x: list[Any], dtype: str, depth: int) -> list[Any]:
        try:
            raw = array(NUMBERS[dtype], x).tobytes()
        except OverflowError:  # an integer of more than 64 bits
            return self.values([_LIST, *x], depth)
        self.count_numbers(len(x))
        self.buffer(raw, len(raw))
        return [Tag.NUMBERS, dtype, len(x)]

    def items_of_dict(self, x: dict[Any, Any], depth: int) -> list[Any]:
        self.count_keys(len(x))
        return self.values([_DICT, *chain.from_iterable(x.items())], depth)

    def items_of_set(self, x: set[Any], depth: int) -> list[Any]:
        self.count_keys(len(x))
        return self.values([Tag.SET.value, *x], depth)

    def frozenset_(self, x: frozenset[Any], depth: int) -> list[Any]:
        self.count_keys(len(x))
        return self.values([Tag.FROZENSET.value, *x], depth)

    def tuple_(self, x: tuple[Any, ...], depth: int) -> list[Any]:
        return self.values([_TUPLE, *x], depth)

    def integer(self, x: int, depth: int) -> list[Any]:
        if x.bit_length() > MAX_BITS:
            raise UnsendableError(f"an integer has more than {MAX_BITS:,} bits")
        return [Tag.INTEGER, hex(x)]

    def complex_(self, x: complex, depth: int) -> list[Any]:
        return self.values([Tag.COMPLEX.value, x.real, x.imag], depth)

    def bytes_(self, x: bytes, depth: int) -> list[Any]:
        self.buffer(x, len(x))
        return [Tag.BYTES, len(x)]

    def slice_(self, x: slice, depth: int) -> list[Any]:
        return self.values([Tag.SLICE.value, x.start, x.stop, x.step], depth)

    def range_(self, x: range, depth: int) -> Any:
        if x[MAX_RANGE - self.length :]:
            return self.other(x, depth)
        self.length += len(x)
        return self.values([Tag.RANGE.value, x.start, x.stop, x.step], depth)

    def ellipsis_(self, x: Any, depth: int) -> list[Any]:
        return [Tag.ELLIPSIS]

    def scalar(self, x: Any, depth: int) -> Any:
        fields = scalars.parts(x)
        if not fields:  # beyond the limits
            return self.other(x, depth)
        return self.values([Tag.SCALAR.value, *fields], depth)

    def numpy_scalar(self, x: np.generic, depth: int) -> Any:
        if x.dtype not in CODES:  # a date with an unusual unit
            return self.other(x, depth)
        return write_scalar(self, x, depth)

    def record(self, x: np.void, depth: int) -> Any:
        if not x.dtype.names or not is_sent(x.dtype):
            return self.other(x, depth)
        return write_scalar(self, x, depth)

    def other(self, x: Any, depth: int) -> Any:
        kind = type(x)  # not what it says of itself
        if issubclass(kind, np.generic) and x.dtype in CODES:
            return self.numpy_scalar(x, depth)
        if issubclass(kind, np.dtype) and is_sent(x):
            return write_dtype(self, x, depth)
        node = whole.write(self, x, depth) if self.libraries else None
        if node is not None:
            return node
        plainer = self.default(x)
        if type(plainer) is Ref:
            return [plainer.tag, *plainer.fields]
        if type(plainer) is NamedItems:
            number, title, names, items = plainer
            inner = self.values([*items], depth)
            return [Tag.NAMED_TUPLE, number, title, [*names], *inner]
        if type(plainer) is ErrorItems:
            number, title, builtin, bases = plainer
            known = self.values([*bases], depth)
            return [Tag.ERROR_CLASS, number, title, builtin, *known]
        return self.value(plainer, depth - 1)


_NUMBERS_OF = {float: "f8", int: "i8"}
_WRITERS: dict[type, Writer] = {
    list: _Encoder.list_,
    dict: _Encoder.dict_,
    set: _Encoder.set_,
    np.ndarray: write_array,
    np.void: _Encoder.record,
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


def encode(
    value: Any,
    default: Default = _refuse,
    received: Mapping[int, int] = NOTHING,
    libraries: frozenset[str] = frozenset(),
) -> Encoded:
    """Encode a value.

    Parameters
    ----------
    value
        Anything; what the codec does not know is asked of `default`.
    default
        Returns a `Ref`, `NamedItems`, `ErrorItems`, or a plainer value to encode.
    received
        `id` of mutable parts of the request that this replies to → their numbers.
    libraries
        Those whose values the receiver takes.

    Raises
    ------
    UnsendableError
        Too deep, too large, or refused by `default`.
    """
    encoder = _Encoder(default, received, libraries)
    try:
        node = encoder.value(value, 0)
        text = write(node, finite=encoder.finite)
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
