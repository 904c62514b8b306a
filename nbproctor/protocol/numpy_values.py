"""NumPy's arrays, scalars and dtypes.

Numbers and text are sent as raw bytes, with the dtype as the header of NumPy's own
files has it; items of arrays of objects are values in the text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from typing import Any, Literal

import numpy as np

from nbproctor.protocol.budget import LIMITS
from nbproctor.protocol.frames import ProtocolError
from nbproctor.protocol.table import (
    FIELDS,
    Change,
    Node,
    Parts,
    Receiver,
    Row,
    Sender,
    add_rows,
)

Array = np.ndarray[Any, Any]
_MAX_DIMS = 64
_MAX_POINT = 0x10FFFF  # of Unicode: Python fails at text with others
_CHECKED = "bU"  # kinds whose bytes may say what NumPy never would
_COPIED = 1 << 14  # bytes of an array that are quicker copied than viewed
# Numbers, bytes, text and dates of a fixed size.
_CODE = re.compile(
    r"[<>|][biufcSU][1-9][0-9]{0,8}"
    r"|[<>][mM]8\[([1-9][0-9]{0,3})?(Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as)\]"
)
_LAYOUTS: list[Node] = [[], ["F"], ["r"], ["F", "r"]]
NUMBERS = "biufc"  # kinds
_UNITS = ("Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns")
_DATES = [f"{kind}8[{unit}]" for kind in "Mm" for unit in _UNITS]
_NATIVE = [np.dtype(code) for code in (*"?bhilqBHILQefdgFDG", *_DATES)]
DTYPES = {dtype.str: np.dtype(dtype.str) for dtype in _NATIVE}  # the usual ones


@lru_cache(maxsize=256)
def _dtype_of(code: Node) -> np.dtype[Any]:
    """Return the dtype that a message says, as NumPy's own files do."""
    if _CODE.fullmatch(code):
        with suppress(ValueError, TypeError):
            dtype = np.dtype(code)
            if dtype.itemsize <= LIMITS["bytes"]:
                return dtype
    raise ProtocolError("an array has an unknown or impossible dtype")


@lru_cache(maxsize=256)
def _code_of(dtype: np.dtype[Any]) -> str | None:
    """Return what says a dtype in a message; None if arrays of it are not sent."""
    with suppress(ProtocolError):
        if _dtype_of(dtype.str) == dtype:
            return dtype.str
    return None


# --- arrays ---------------------------------------------------------------------------


def _write_array(
    sender: Sender,
    x: Array,
    depth: int,
) -> Node:
    dtype = x.dtype
    size = x.nbytes
    flags = x.flags
    if dtype.kind == "O":
        return _write_objects(sender, x, depth)
    code = _code_of(dtype)
    if code is None:
        return None
    node = ["a", code, [*x.shape]]
    if flags.fnc:
        node.append("F")
        x = x.T
    if not flags.writeable:
        node.append("r")
    if size < _COPIED:
        if not x.size:
            sender.spend_shape(x.shape, dtype.itemsize)
        sender.append_buffer(x.tobytes(), size)
    else:
        flat = np.ascontiguousarray(x).reshape(-1)
        sender.append_buffer(flat.view(np.uint8).data, size)
    return node


def _read_array(
    receiver: Receiver,
    node: list[Node],
    depth: int,
) -> Array:
    _, code, sizes, *layout = node
    if layout not in _LAYOUTS:
        raise ProtocolError("an array has an unknown layout")
    order: Any = "F" if "F" in layout else "C"
    array = _read_items(receiver, _dtype_of(code), _shape(sizes), order)
    if "r" in layout:
        array.flags.writeable = False
    return array


def _read_items(
    receiver: Receiver,
    dtype: np.dtype[Any],
    shape: tuple[int, ...],
    order: Literal["C", "F"] = "C",
) -> Array:
    """Return the next bytes of a message as an array."""
    count = math.prod(shape)
    if not count:
        receiver.spend_shape(shape, dtype.itemsize)
        return np.empty(shape, dtype)
    raw = receiver.read_bytes(count * dtype.itemsize)
    array = np.ndarray(shape, dtype, raw, 0, None, order)
    if dtype.kind in _CHECKED:
        _check_content(array)
    return array


def _check_content(array: Array) -> None:
    """Refuse text that Python fails at, and make each bool 0 or 1, whatever came."""
    dtype = array.dtype
    if dtype.kind == "b":
        np.not_equal(array.view(np.uint8), 0, out=array)
    if dtype.kind == "U":
        flat = np.ascontiguousarray(array).reshape(-1)
        points = flat.view(f"{dtype.str[0]}u4")
        if points.max() > _MAX_POINT:
            raise ProtocolError("an array contains something that is not text")


def _shape(sizes: Node) -> tuple[int, ...]:
    if type(sizes) is not list or len(sizes) > _MAX_DIMS:
        raise ProtocolError("an array has no shape, or too many dimensions")
    for n in sizes:
        if type(n) is not int or n < 0:
            raise ProtocolError("an array has an impossible shape")
    return tuple(sizes)


def _write_objects(
    sender: Sender,
    x: Array,
    depth: int,
) -> Node:
    if not x.size:
        sender.spend_shape(x.shape, 0)
    items = x.reshape(-1).tolist()
    return ["O", [*x.shape], *sender.write_values(items, depth)]


def _read_objects(
    receiver: Receiver,
    node: list[Node],
    depth: int,
) -> Array:
    shape = _shape(*node[1:2])
    cells = receiver.read_fields(node, depth, 2)
    if math.prod(shape) != len(cells):
        raise ProtocolError("an array's shape and its items disagree")
    if not cells:
        receiver.spend_shape(shape, 0)
    array = np.empty(len(cells), dtype=object)
    for i, cell in enumerate(cells):
        array[i] = cell  # all at once, NumPy would ask each for its items
    return array.reshape(shape)


def _copy(x: Array) -> Any:
    """Return what no assignment changes, the content, and the objects in it."""
    # Of objects the bytes are addresses, which hold as long as the objects are kept.
    objects = x.reshape(-1).tolist() if x.dtype.kind == "O" else None
    columns = x.flags.fnc
    data = (x.T if columns else x).tobytes()
    return (x.dtype, len(data)), (x.shape, columns, data), objects


def _same(now: Array, before: Any) -> bool | None:
    form, content, _ = _copy(now)
    if form != before[0]:
        return None  # it has been resized
    return bool(content == before[1])


def _assign(old: Array, new: Array) -> None:
    is_same_kind = old.dtype.kind == new.dtype.kind
    if old.size != new.size or not is_same_kind:
        raise ProtocolError("a changed array has another size")
    if old.shape != new.shape:
        with suppress(AttributeError):  # of a view, it cannot change
            old.shape = new.shape
    if old.flags.writeable:
        old[...] = new.reshape(old.shape)


# --- scalars and dtypes ---------------------------------------------------------------


def _write_scalar(
    sender: Sender,
    x: Any,
    depth: int,
) -> Node:
    code = _code_of(x.dtype)
    if code:
        raw = x.tobytes()
        sender.append_buffer(raw, len(raw))
        return ["n", code]
    return None


def _read_scalar(
    receiver: Receiver,
    node: list[Node],
    depth: int,
) -> Any:
    _, code = node
    dtype = _dtype_of(code)
    if dtype.kind in "SU":
        raise ProtocolError("text is not a NumPy scalar")
    return _read_items(receiver, dtype, ())[()]


def _dtype_parts(x: np.dtype[Any]) -> Parts | None:
    code = "|O" if x.kind == "O" else _code_of(x)
    return None if code is None else (code,)


def is_array(kinds: str) -> Callable[[Any], bool]:
    """Make the question whether a part is a row of NumPy's, of one of these kinds."""
    return lambda x: type(x) is np.ndarray and x.ndim == 1 and x.dtype.kind in kinds


FIELDS |= {name: FIELDS["value"] for name in ("dtype", "shape", "layout")}
FIELDS["places"] = is_array("i")
_CHANGE = Change(
    copy=_copy,
    same=_same,
    assign=_assign,
)
_SCALARS = tuple({dtype.type for dtype in _NATIVE})
_DTYPES = tuple({type(np.dtype(code)) for code in (*_NATIVE, *"SUO")})
add_rows(
    Row(
        tag="a",
        fields="dtype shape layout*",
        classes=np.ndarray,
        write=_write_array,
        read=_read_array,
        change=_CHANGE,
    ),
    Row(
        tag="O",
        fields="shape value*",
        classes=(),
        read=_read_objects,
        change=_CHANGE,
    ),
    Row(
        tag="n",
        fields="dtype",
        classes=_SCALARS,
        write=_write_scalar,
        read=_read_scalar,
    ),
    Row(
        tag="D",
        fields="dtype",
        classes=_DTYPES,
        parts=_dtype_parts,
        build=lambda code: np.dtype(object) if code == "|O" else _dtype_of(code),
    ),
)
