"""NumPy's arrays, scalars and dtypes.

Numbers and text are sent as raw bytes, with the dtype as in the header of a ``.npy``
file. The items of an array of objects are values in the JSON text.
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
_MAX_POINT = 0x10FFFF  # the last code point; Python cannot handle text beyond it
_TEXT = "SUVbB"  # dtypes whose bytes may be a text
_CHECKED = "bU"  # kinds whose bytes may have values that NumPy never makes
# Numbers, bytes, text and dates of a fixed size.
_CODE = re.compile(
    r"[<>|][biufcSU][1-9][0-9]{0,8}"
    r"|[<>][mM]8\[([1-9][0-9]{0,3})?(Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as)\]"
)
_LAYOUTS: list[Node] = [[], ["F"], ["r"], ["F", "r"]]
_UNITS = ("Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns")
_DATES = [f"{kind}8[{unit}]" for kind in "Mm" for unit in _UNITS]
_NATIVE = [np.dtype(code) for code in (*"?bhilqBHILQefdgFDG", *_DATES)]
DTYPES = {dtype.str: np.dtype(dtype.str) for dtype in _NATIVE}  # the usual dtypes


@lru_cache(maxsize=256)
def _dtype_of(code: Node) -> np.dtype[Any]:
    """Return the dtype that a message gives, as a ``.npy`` file would."""
    if _CODE.fullmatch(code):
        with suppress(ValueError, TypeError):
            dtype = np.dtype(code)
            if dtype.itemsize <= LIMITS["bytes"]:
                return dtype
    raise ProtocolError("an array has an unknown or impossible dtype")


@lru_cache(maxsize=256)
def _code_of(dtype: np.dtype[Any]) -> str | None:
    """Return a dtype as a message gives it; None if its arrays are not sent."""
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
    if not x.size:
        sender.spend_shape(x.shape, dtype.itemsize)
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
    receiver.has_text |= dtype.char in _TEXT
    if dtype.kind in _CHECKED:
        _check_content(array)
    return array


def _check_content(array: Array) -> None:
    """Refuse text that Python cannot handle, and make each byte of a bool 0 or 1."""
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
    if not all(map(FIELDS["count"], sizes)):
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
        array[i] = cell  # in one assignment, NumPy would look into each cell
    return array.reshape(shape)


def _copy(x: Array) -> Any:
    """Return what no assignment can change, the content, and the objects in it."""
    # The bytes of objects are addresses, which are valid while the objects exist.
    has_objects = x.dtype.kind == "O"
    objects = x.reshape(-1).tolist() if has_objects else None
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
        with suppress(AttributeError):  # the shape of a view may be fixed
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
    """Return a function that says whether a part is a 1-d array of these kinds."""

    def fits(x: Any) -> bool:
        if type(x) is not np.ndarray:
            return False
        return x.ndim == 1 and x.dtype.kind in kinds

    return fits


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
