"""Values of Python and its standard library: containers, numbers, dates.

Dates are compared by ``==`` like numbers, so they are sent as such, not as handles.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from datetime import datetime
from functools import partial
from io import StringIO
from itertools import chain
from operator import attrgetter, is_
from typing import Any

from nbproctor.protocol.budget import MAX_BITS
from nbproctor.protocol.frames import ProtocolError, UnsendableError
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

# --- lists, dictionaries, sets --------------------------------------------------------


def _write_container(
    tag: str,
    sender: Sender,
    x: Any,
    depth: int,
) -> Node:
    """Write the items of a container, or its keys and values in turn."""
    if type(x) not in (list, tuple):  # other containers have keys
        sender.spend("keys", len(x))
    items = chain.from_iterable(x.items()) if isinstance(x, dict) else x
    return sender.write_values([tag, *items], depth)


def _read_container(
    kind: Any,
    receiver: Receiver,
    node: list[Node],
    depth: int,
) -> Any:
    items = receiver.read_fields(node, depth)
    if kind is not tuple:
        receiver.spend_keys(items)
    return kind(items)


def _read_dict(
    kind: Any,
    receiver: Receiver,
    node: list[Node],
    depth: int,
) -> Any:
    items = receiver.read_fields(node, depth)
    keys = items[::2]
    receiver.spend_keys(keys)
    values = items[1::2]
    # A key without a value is a `ValueError`.
    return kind(dict(zip(keys, values, strict=True)))


def _same_items(now: Any, before: Any) -> bool:
    """Compare items by `is`: `==` would take 1 for True, and call their methods."""
    if len(now) != len(before):
        return False
    has_same_values = True
    if isinstance(now, dict):
        has_same_values = all(map(is_, now.values(), before.values()))
    return has_same_values and all(map(is_, now, before))


def _assign(old: Any, new: Any) -> None:
    old.clear()
    if type(old) is list:
        old.extend(new)
    else:
        old.update(new)


# --- streams of text in memory --------------------------------------------------------


def _stream_parts(x: Any) -> Parts:
    """Return text, line ending and position of a stream; at most its end."""
    text, ending, position, _ = x.__getstate__()
    return text, ending, min(position, len(text))


def _stream(*parts: Any) -> Any:
    stream: Any = StringIO()
    stream.__setstate__((*parts, None))
    if _stream_parts(stream) != parts:
        raise ValueError("a stream is past its end")
    return stream


# --- numbers, bytes, ranges -----------------------------------------------------------


def _write_integer(
    sender: Sender,
    x: int,
    depth: int,
) -> Node:
    if x.bit_length() > MAX_BITS:
        raise UnsendableError(f"an integer has more than {MAX_BITS:,} bits")
    return ["i", hex(x)]


def _write_bytes(
    sender: Sender,
    x: bytes,
    depth: int,
) -> Node:
    sender.append_buffer(x, len(x))
    return ["b", len(x)]


def _read_bytes(
    receiver: Receiver,
    node: list[Node],
    depth: int,
) -> bytes:
    _, count = node
    if not FIELDS["count"](count):
        raise ProtocolError("bytes have no length")
    receiver.has_text = True
    return bytes(receiver.read_bytes(count))


def _write_range(
    sender: Sender,
    x: range,
    depth: int,
) -> Node:
    if x[sender.remaining("length") :]:
        return None
    sender.spend("length", len(x))
    return sender.write_values(["R", *_bounds(x)], depth)


def _read_range(
    receiver: Receiver,
    node: list[Node],
    depth: int,
) -> range:
    bounds = receiver.read_fields(node, depth)
    start, stop, step = bounds
    if not all(map(FIELDS["integer"], bounds)):
        raise ProtocolError("a range is not made of integers")
    numbers = range(start, stop, step)
    receiver.spend("length", len(numbers))  # `ArithmeticError` if it is too long
    return numbers


# --- dates ----------------------------------------------------------------------------

STANDARD = (datetime,)  # types of values that are sent by parts, and Python hashes
_bounds = attrgetter("start", "stop", "step")
_moment = attrgetter("year", "month", "day", "hour", "minute", "second", "microsecond")


FIELDS |= {
    # The text that `hex` returns, with "-0x".
    "hex": lambda x: type(x) is str and len(x) <= MAX_BITS // 4 + 3,
}
_ITEMS = Change(
    copy=lambda x: x.copy(),
    same=_same_items,
    assign=_assign,
)
_KEYS = Change(
    copy=set.copy,
    same=lambda now, before: {*map(id, now)} == {*map(id, before)},
    assign=_assign,
)
_STREAM = Change(
    copy=_stream_parts,
    same=lambda now, then: None if now.closed else _stream_parts(now) == then,
    assign=lambda old, new: old.__setstate__(new.__getstate__()),
)
_three = "integer integer integer"
add_rows(
    Row(
        tag="l",
        fields="value*",
        classes=list,
        write=partial(_write_container, "l"),
        read=Receiver.read_fields,
        change=_ITEMS,
    ),
    Row(
        tag="t",
        fields="value*",
        classes=tuple,
        write=partial(_write_container, "t"),
        read=partial(_read_container, tuple),
    ),
    Row(
        tag="s",
        fields="key*",
        classes=set,
        write=partial(_write_container, "s"),
        read=partial(_read_container, set),
        change=_KEYS,
    ),
    Row(
        tag="z",
        fields="key*",
        classes=frozenset,
        write=partial(_write_container, "z"),
        read=partial(_read_container, frozenset),
    ),
    Row(
        tag="b",
        fields="count",
        classes=bytes,
        write=_write_bytes,
        read=_read_bytes,
    ),
    Row(
        tag="i",
        fields="hex",
        classes=int,
        write=_write_integer,
        build=lambda digits: int(digits, 16),
    ),
    Row(
        tag="R",
        fields=_three,
        classes=range,
        write=_write_range,
        read=_read_range,
    ),
    Row(
        tag="c",
        fields="float float",
        classes=complex,
        parts=attrgetter("real", "imag"),
        build=complex,
    ),
    Row(
        tag="S",
        fields="value value value",
        classes=slice,
        parts=_bounds,
        build=slice,
    ),
    Row(
        tag="E",
        fields="",
        classes=type(...),
        parts=lambda x: (),
        build=lambda: ...,
    ),
    Row(
        tag="datetime",
        fields=f"{_three} integer {_three}",
        classes=datetime,
        parts=lambda x: None if x.tzinfo else _moment(x),
        build=datetime,
    ),
    Row(
        tag="StringIO",
        fields="text value count",
        classes=StringIO,
        parts=_stream_parts,
        build=_stream,
        change=_STREAM,
    ),
)
for tag, dict_class in (
    ("d", dict),
    ("Counter", Counter),
    ("OrderedDict", OrderedDict),
):
    add_rows(
        Row(
            tag=tag,
            fields="value*",
            classes=dict_class,
            write=partial(_write_container, tag),
            read=partial(_read_dict, dict_class),
            change=_ITEMS,
        )
    )
