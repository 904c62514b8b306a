"""NumPy's arrays and scalars, both ways.

Numbers are sent as raw bytes; items of arrays of objects and of text are values in
the text.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nbproctor.protocol.frames import ProtocolError
from nbproctor.protocol.limits import CODES, DTYPES, MAX_BYTES
from nbproctor.protocol.received import Received, count_of
from nbproctor.protocol.sent import Node, Ref, Sent, UnsendableError
from nbproctor.protocol.sharing import Before
from nbproctor.protocol.tags import Tag

Array = np.ndarray[Any, Any]
_COPIED = 1 << 14  # bytes of an array that are quicker copied than viewed

# --- to send ------------------------------------------------------------------------


def write_array(sent: Sent, x: Array, depth: int) -> Node:
    """Write an array, which the receiver may change."""
    if x.dtype in CODES or x.dtype.str[1:] in DTYPES:
        return sent.mutable(_write_numbers, x, depth)
    if x.dtype.kind in "OU":
        return sent.mutable(_write_items, x, depth)
    ref = sent.default(x)
    if type(ref) is not Ref:
        raise UnsendableError(f"an array of dtype {x.dtype} cannot be sent")
    return [ref.tag, *ref.fields]


def write_scalar(sent: Sent, x: np.generic) -> Node:
    """Write a NumPy scalar whose dtype has a code."""
    raw = x.tobytes()
    sent.buffer(raw, len(raw))
    return [Tag.NUMPY_SCALAR, CODES[x.dtype]]


def _write_numbers(sent: Sent, x: Array, depth: int) -> Node:
    sent.count_length(x)
    code, native = CODES.get(x.dtype), x
    if code is None:  # the bytes are in the other order
        native = x.astype(x.dtype.newbyteorder("="))
        code = CODES[native.dtype]
    if x.nbytes < _COPIED:
        sent.buffer(native.tobytes(), x.nbytes)
    else:
        flat = np.ascontiguousarray(native).reshape(-1)
        sent.buffer(flat.view(np.uint8).data, x.nbytes)
    return [Tag.ARRAY if x.flags.writeable else Tag.READ_ONLY, code, [*x.shape]]


def _write_items(sent: Sent, x: Array, depth: int) -> Node:
    sent.count_length(x)
    items = sent.values(x.reshape(-1).tolist(), depth)
    if x.dtype.kind == "U":
        sent.count_room(x)
        return [Tag.TEXTS, [*x.shape], x.itemsize // 4, *items]
    return [Tag.OBJECTS, [*x.shape], *items]


# --- received -----------------------------------------------------------------------


def read_numbers(received: Received, node: list[Node], depth: int) -> Array:
    """Read an array of numbers."""
    _, code, shape = node
    array = received.numpy_array(code, received.shape(shape))
    received.seen.append((array, Before.of(array) if received.track else None))
    return array


def read_only_numbers(received: Received, node: list[Node], depth: int) -> Array:
    """Read an array of numbers that cannot be written to."""
    array = read_numbers(received, node, depth)
    array.flags.writeable = False
    return array


def read_objects(received: Received, node: list[Node], depth: int) -> Array:
    """Read an array of objects."""
    shape, number = received.shape(*node[1:2]), received.begin()
    cells = received.fields(node, depth, 2)
    _check_size(shape, cells)
    array = np.empty(len(cells), dtype=object)
    for i, cell in enumerate(cells):
        array[i] = cell  # all at once, NumPy would ask each for its items
    return _end(received, number, array.reshape(shape), cells)


def read_texts(received: Received, node: list[Node], depth: int) -> Array:
    """Read an array of text."""
    shape, number = received.shape(*node[1:2]), received.begin()
    width, cells = count_of(node[2:3]), node[3:]
    _check_size(shape, cells)
    if not all(type(cell) is str and len(cell) <= width for cell in cells):
        raise ProtocolError("an array of text holds something else")
    received.room += 4 * width * max(len(cells), 1)
    if received.room > MAX_BYTES:
        raise ProtocolError("arrays of text take too much room")
    array = np.array(cells, dtype=f"<U{width}").reshape(shape)
    return _end(received, number, array, cells)


def read_scalar(received: Received, node: list[Node], depth: int) -> Any:
    """Read a NumPy scalar."""
    _, code = node
    return received.numpy_array(code, ())[()]


def _end(received: Received, number: int, array: Array, cells: list[Any]) -> Array:
    # Of objects the bytes are addresses, which hold as long as `cells` do.
    before = Before.of(array, cells) if received.track else None
    received.seen[number] = array, before
    return array


def _check_size(shape: tuple[int, ...], cells: list[Any]) -> None:
    if math.prod(shape) != len(cells):
        raise ProtocolError("an array's shape and its items disagree")
