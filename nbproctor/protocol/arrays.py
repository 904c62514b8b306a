"""NumPy's arrays and scalars, both ways.

Numbers are sent as raw bytes; items of arrays of objects and of text are values in
the text.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from nbproctor.protocol.frames import ProtocolError
from nbproctor.protocol.limits import CODES, DTYPES, MAX_BYTES, MAX_DEPTH, code_of
from nbproctor.protocol.received import Received, count_of
from nbproctor.protocol.sent import Node, Ref, Sent, UnsendableError
from nbproctor.protocol.tags import Tag

Array = np.ndarray[Any, Any]
MAX_FIELDS = 1000  # of a structured array
_COPIED = 1 << 14  # bytes of an array that are quicker copied than viewed
_ARRAY, _READ_ONLY = Tag.ARRAY.value, Tag.READ_ONLY.value

Writer = Callable[[Sent, Array, int], Node]

# --- to send ------------------------------------------------------------------------


def write_array(sent: Sent, x: Array, depth: int) -> Node:
    """Write an array, which the receiver may change."""
    write = _write_native if x.dtype in CODES else _writer_of(x.dtype)
    return sent.mutable(write, x, depth) if write else _other(sent, x)


def write_part(sent: Sent, x: Any, depth: int) -> Node:
    """Write a part of a value; an array among them has no number of its own."""
    if type(x) is not np.ndarray:
        return sent.value(x, depth)
    write = _writer_of(x.dtype)
    return write(sent, x, depth + 1) if write else _other(sent, x)


def write_scalar(sent: Sent, x: Any, depth: int) -> Node:
    """Write a NumPy scalar, or an item of a structured array."""
    if x.dtype.kind == "V":
        return [Tag.RECORD, write_part(sent, np.asarray(x), depth)]
    raw = x.tobytes()
    sent.buffer(raw, len(raw))
    return [Tag.NUMPY_SCALAR, CODES[x.dtype]]


def write_dtype(sent: Sent, x: np.dtype[Any], depth: int) -> Node:
    """Write a dtype."""
    return [Tag.DTYPE, write_part(sent, np.empty(0, x), depth)]


def is_sent(dtype: np.dtype[Any]) -> bool:
    """Whether arrays of a dtype are sent."""
    return _writer_of(dtype) is not None and np.empty(0, dtype).dtype == dtype


def _writer_of(dtype: np.dtype[Any]) -> Writer | None:
    if dtype in CODES or code_of(dtype) in DTYPES:
        return _write_numbers
    if dtype.kind == "S" and dtype.itemsize:
        return _write_numbers
    if dtype.kind in "OU":
        return _write_items
    return _write_fields if dtype.names and _is_packed(dtype) else None


def _is_packed(dtype: np.dtype[Any]) -> bool:
    """Whether a structured dtype is no more than its fields in a row."""
    names = dtype.names or ()
    fields = [(name, dtype[name]) for name in names]
    items = [of.base for _, of in fields]
    return (
        len(fields) <= MAX_FIELDS
        and not dtype.hasobject
        and dtype == np.dtype(fields)
        and all(_writer_of(item) is not None for item in items)
    )


def _other(sent: Sent, x: Array) -> Node:
    ref = sent.default(x)
    if type(ref) is not Ref:
        raise UnsendableError(f"an array of dtype {x.dtype} cannot be sent")
    return [ref.tag, *ref.fields]


def _write_numbers(sent: Sent, x: Array, depth: int) -> Node:
    native = x
    if not x.dtype.isnative:
        native = x.astype(x.dtype.newbyteorder("="))
        native.flags.writeable = x.flags.writeable
    return _write_native(sent, native, depth)


def _write_native(sent: Sent, x: Array, depth: int) -> Node:
    dtype, size = x.dtype, x.nbytes
    if size < _COPIED:
        if not x.size:
            sent.count_length(x)
        sent.buffer(x.tobytes(), size)
    else:
        flat = np.ascontiguousarray(x).reshape(-1)
        sent.buffer(flat.view(np.uint8).data, size)
    code = CODES.get(dtype) or code_of(dtype)
    return [_ARRAY if x.flags.writeable else _READ_ONLY, code, [*x.shape]]


def _write_items(sent: Sent, x: Array, depth: int) -> Node:
    sent.count_length(x)
    items = sent.values(x.reshape(-1).tolist(), depth)
    if x.dtype.kind == "U":
        sent.count_room(x)
        return [Tag.TEXTS, [*x.shape], x.itemsize // 4, *items]
    return [Tag.OBJECTS, [*x.shape], *items]


def _write_fields(sent: Sent, x: Array, depth: int) -> Node:
    sent.count_length(x)
    names = x.dtype.names or ()
    fields = [write_part(sent, x[name], depth) for name in names]
    return [Tag.STRUCTURED, [*x.shape], [*names], *fields]


# --- received -----------------------------------------------------------------------


def read_array(received: Received, node: list[Node], depth: int) -> Array:
    """Read an array, which this side may change."""
    number = received.begin()
    array, cells = _READERS[node[0]](received, node, depth)
    before = None
    if received.track:
        # Of objects the bytes are addresses, which hold as long as `cells` do.
        before = array.tobytes(), array.shape, array.dtype, cells
    received.seen[number] = array, before
    return array


def read_part(received: Received, node: Node, depth: int) -> Any:
    """Read a part of a value; an array among them has no number of its own."""
    if type(node) is not list or not node or node[0] not in _READERS:
        return received.value(node, depth)
    if depth > MAX_DEPTH:
        raise ProtocolError("a value is nested too deep")
    return _READERS[node[0]](received, node, depth + 1)[0]


def read_scalar(received: Received, node: list[Node], depth: int) -> Any:
    """Read a NumPy scalar."""
    _, code = node
    if code not in DTYPES:
        raise ProtocolError("a scalar has an unknown dtype")
    return received.numpy_array(code, ())[()]


def read_record(received: Received, node: list[Node], depth: int) -> Any:
    """Read an item of a structured array."""
    _, inner = node
    record = read_part(received, inner, depth)
    if type(record) is not np.ndarray or record.shape or not record.dtype.names:
        raise ProtocolError("an item of a structured array has no fields")
    return record[()]


def read_dtype(received: Received, node: list[Node], depth: int) -> np.dtype[Any]:
    """Read a dtype."""
    _, inner = node
    array = read_part(received, inner, depth)
    if type(array) is not np.ndarray:
        raise ProtocolError("a dtype has no array")
    dtype: np.dtype[Any] = array.dtype
    return dtype


Content = tuple[Array, Any]  # an array, and its cells if they are objects


def _read_numbers(received: Received, node: list[Node], depth: int) -> Content:
    _, code, shape = node
    return received.numpy_array(code, received.shape(shape)), None


def _read_only(received: Received, node: list[Node], depth: int) -> Content:
    array, _ = _read_numbers(received, node, depth)
    array.flags.writeable = False
    return array, None


def _read_objects(received: Received, node: list[Node], depth: int) -> Content:
    shape = received.shape(*node[1:2])
    cells = received.fields(node, depth, 2)
    _check_size(shape, cells)
    array = np.empty(len(cells), dtype=object)
    for i, cell in enumerate(cells):
        array[i] = cell  # all at once, NumPy would ask each for its items
    return array.reshape(shape), cells


def _read_texts(received: Received, node: list[Node], depth: int) -> Content:
    shape = received.shape(*node[1:2])
    width, cells = count_of(node[2:3]), node[3:]
    _check_size(shape, cells)
    if not all(type(cell) is str and len(cell) <= width for cell in cells):
        raise ProtocolError("an array of text holds something else")
    received.room += 4 * width * max(len(cells), 1)
    if received.room > MAX_BYTES:
        raise ProtocolError("arrays of text take too much room")
    return np.array(cells, dtype=f"<U{width}").reshape(shape), cells


def _read_fields(received: Received, node: list[Node], depth: int) -> Content:
    shape, names = received.shape(*node[1:2]), node[2]
    if type(names) is not list or not 0 < len(names) <= MAX_FIELDS:
        raise ProtocolError("a structured array has no names, or too many")
    if not all(type(name) is str for name in names) or len(names) != len(node) - 3:
        raise ProtocolError("a structured array has fields without a name")
    fields = [read_part(received, inner, depth) for inner in node[3:]]
    dtype = []
    for name, field in zip(names, fields, strict=True):
        if type(field) is not np.ndarray or field.dtype == object:
            raise ProtocolError("a field of a structured array is no array")
        if field.shape[: len(shape)] != shape:
            raise ProtocolError("fields of a structured array have other shapes")
        dtype.append((name, field.dtype, field.shape[len(shape) :]))
    array = np.empty(shape, dtype)
    for name, field in zip(names, fields, strict=True):
        array[name] = field
    return array, None


_READERS: dict[str, Callable[[Received, list[Node], int], Content]] = {
    Tag.ARRAY.value: _read_numbers,
    Tag.READ_ONLY.value: _read_only,
    Tag.OBJECTS.value: _read_objects,
    Tag.TEXTS.value: _read_texts,
    Tag.STRUCTURED.value: _read_fields,
}


def _check_size(shape: tuple[int, ...], cells: list[Any]) -> None:
    if math.prod(shape) != len(cells):
        raise ProtocolError("an array's shape and its items disagree")
