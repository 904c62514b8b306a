"""Values of Python and its standard library: containers, numbers, dates.

Fractions, decimals and dates are compared by ``==`` like numbers, so they are sent
whole, not as handles; what is short to send but takes long to compute with is not.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
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
    Reader,
    Receiver,
    Row,
    Sender,
    Writer,
    add,
)

# --- lists, dictionaries, sets --------------------------------------------------------


def _writes(*head: Node) -> Writer:
    """Make what writes the items of a container, or keys and values in turn."""

    def write(sender: Sender, x: Any, depth: int) -> Node:
        if type(x) not in (list, tuple):  # all others have keys
            sender.spend("keys", len(x))
        items = chain.from_iterable(x.items()) if isinstance(x, dict) else x
        return sender.values([*head, *items], depth)

    return write


def _reads(kind: Callable[[Any], Any]) -> Reader:
    def read(receiver: Receiver, node: list[Node], depth: int) -> Any:
        items = receiver.fields(node, depth)
        if kind is not tuple:
            receiver.spend_keys(items)
        return kind(items)

    return read


def _read_dict(kind: Callable[[Any], Any]) -> Reader:
    def read(receiver: Receiver, node: list[Node], depth: int) -> Any:
        if not len(node) % 2:
            raise ProtocolError("a dictionary has a key without a value")
        items = receiver.fields(node, depth)
        keys = items[::2]
        receiver.spend_keys(keys)
        return kind(dict(zip(keys, items[1::2], strict=True)))

    return read


# Items are compared by `is`: `==` would take 1 for True, and ask them.
def _same_items(now: Any, before: Any) -> bool:
    if len(now) != len(before) or not all(map(is_, now, before)):
        return False
    values = isinstance(now, dict)
    return not values or all(map(is_, now.values(), before.values()))


def _assign(old: Any, new: Any) -> None:
    old.clear()
    (old.extend if type(old) in (list, deque) else old.update)(new)


# --- `collections` --------------------------------------------------------------------

_FACTORIES: dict[str | None, type | None] = {
    kind.__name__: kind for kind in (int, float, bool, str, list, dict, set, tuple)
}
_FACTORIES[None] = None
_NAMES = {id(factory): name for name, factory in _FACTORIES.items()}


def _write_default(sender: Sender, x: Any, depth: int) -> Node:
    if id(x.default_factory) not in _NAMES:
        return None  # a function of somebody's: it goes as a plain dictionary
    return _writes("defaultdict", _NAMES[id(x.default_factory)])(sender, x, depth)


def _read_default(receiver: Receiver, node: list[Node], depth: int) -> Any:
    if len(node) < 2 or not FIELDS["factory"](node[1]):
        raise ProtocolError("a default dictionary has an unknown factory")
    items = _read_dict(dict)(receiver, node[1:], depth)
    return defaultdict(_FACTORIES[node[1]], items)


def _deque(longest: Any, *items: Any) -> Any:
    if longest is not None and len(items) > longest:
        raise ValueError("a deque is longer than it can be")
    return deque(items, longest)


# --- text to be read and written in memory --------------------------------------------


def _stream_parts(x: Any) -> Parts:
    """Return what a stream holds, how it ends lines, and where it is, or its end."""
    text, ending, position, _ = x.__getstate__()
    return text, ending, min(position, len(text))


def _stream(*parts: Any) -> Any:
    stream: Any = StringIO()
    stream.__setstate__((*parts, None))
    if _stream_parts(stream) != parts:
        raise ValueError("a stream is behind its end")
    return stream


# --- numbers, bytes, ranges -----------------------------------------------------------


def _write_integer(sender: Sender, x: int, depth: int) -> Node:
    if x.bit_length() > MAX_BITS:
        raise UnsendableError(f"an integer has more than {MAX_BITS:,} bits")
    return ["i", hex(x)]


def _write_bytes(sender: Sender, x: bytes, depth: int) -> Node:
    sender.buffer(x, len(x))
    return ["b", len(x)]


def _read_bytes(receiver: Receiver, node: list[Node], depth: int) -> bytes:
    _, count = node
    if not FIELDS["count"](count):
        raise ProtocolError("bytes have no length")
    return bytes(receiver.take(count))


def _write_range(sender: Sender, x: range, depth: int) -> Node:
    if x[sender.remaining("length") :]:
        return None
    sender.spend("length", len(x))
    return sender.values(["R", x.start, x.stop, x.step], depth)


def _read_range(receiver: Receiver, node: list[Node], depth: int) -> range:
    start, stop, step = receiver.fields(node, depth)
    if not all(type(x) is int for x in (start, stop, step)):
        raise ProtocolError("a range is not made of integers")
    numbers = range(start, stop, step)
    if numbers[receiver.remaining("length") :]:
        raise ProtocolError("ranges are too long")
    receiver.spend("length", len(numbers))
    return numbers


# --- fractions and dates --------------------------------------------------------------

# Values by their parts that have a hash of Python's own.
STANDARD = (Decimal, Fraction, date, time, datetime, timedelta)
_MAX_FRACTION = 1 << 4096
# ``int(Decimal("1e999999999"))`` would never end.
_MAX_DIGITS = 10_000
_MAX_EXPONENT = 10_000
_bounds = attrgetter("start", "stop", "step")
_fraction = attrgetter("numerator", "denominator")
_clock = attrgetter("hour", "minute", "second", "microsecond")
_span = attrgetter("days", "seconds", "microseconds")


def _is_decimal(text: Any) -> bool:
    if type(text) is not str or len(text) > _MAX_DIGITS:
        return False
    return abs(Decimal(text).adjusted()) <= _MAX_EXPONENT


def _datetime_parts(x: datetime) -> Parts | None:
    return None if x.tzinfo else (x.year, x.month, x.day, *_clock(x))


FIELDS |= {
    # As `hex` writes them, with "-0x".
    "hex": lambda x: type(x) is str and len(x) <= MAX_BITS // 4 + 3,
    "short": lambda x: type(x) is int and abs(x) < _MAX_FRACTION,
    "decimal": _is_decimal,
    "factory": lambda x: (x is None or type(x) is str) and x in _FACTORIES,
    "longest": lambda x: x is None or FIELDS["count"](x),
}
_ITEMS = Change(lambda x: x.copy(), _same_items, _assign)
_KEYS = Change(set.copy, lambda now, then: {*map(id, now)} == {*map(id, then)}, _assign)
_STREAM = Change(
    copy=_stream_parts,
    same=lambda now, then: None if now.closed else _stream_parts(now) == then,
    assign=lambda old, new: old.__setstate__(new.__getstate__()),
)
_three = "integer integer integer"
add(
    Row(
        tag="l",
        fields="value*",
        classes=list,
        write=_writes("l"),
        read=Receiver.fields,
        change=_ITEMS,
    ),
    Row(
        tag="t", fields="value*", classes=tuple, write=_writes("t"), read=_reads(tuple)
    ),
    Row(
        tag="s",
        fields="key*",
        classes=set,
        write=_writes("s"),
        read=_reads(set),
        change=_KEYS,
    ),
    Row(
        tag="z",
        fields="key*",
        classes=frozenset,
        write=_writes("z"),
        read=_reads(frozenset),
    ),
    Row(tag="b", fields="count", classes=bytes, write=_write_bytes, read=_read_bytes),
    Row(
        tag="i",
        fields="hex",
        classes=int,
        write=_write_integer,
        build=lambda digits: int(digits, 16),
    ),
    Row(tag="R", fields=_three, classes=range, write=_write_range, read=_read_range),
    Row(
        tag="c",
        fields="float float",
        classes=complex,
        parts=attrgetter("real", "imag"),
        build=complex,
    ),
    Row(tag="S", fields="value value value", classes=slice, parts=_bounds, build=slice),
    Row(tag="E", fields="", classes=type(...), parts=lambda x: (), build=lambda: ...),
    Row(
        tag="Decimal",
        fields="decimal",
        classes=Decimal,
        parts=lambda x: (str(x),),
        build=Decimal,
    ),
    Row(
        tag="Fraction",
        fields="short short",
        classes=Fraction,
        parts=_fraction,
        build=Fraction,
    ),
    Row(
        tag="date",
        fields=_three,
        classes=date,
        parts=attrgetter("year", "month", "day"),
        build=date,
    ),
    Row(
        tag="time",
        fields="integer " + _three,
        classes=time,
        parts=lambda x: _clock(x) if x.tzinfo is None else None,
        build=time,
    ),
    Row(
        tag="datetime",
        fields=f"{_three} integer {_three}",
        classes=datetime,
        parts=_datetime_parts,
        build=datetime,
    ),
    Row(
        tag="timedelta", fields=_three, classes=timedelta, parts=_span, build=timedelta
    ),
    Row(
        tag="defaultdict",
        fields="factory value*",
        classes=defaultdict,
        write=_write_default,
        read=_read_default,
        change=_ITEMS,
    ),
    Row(
        tag="deque",
        fields="longest value*",
        classes=deque,
        parts=lambda x: (x.maxlen, *x),
        build=_deque,
        change=_ITEMS,
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
for dict_class in (dict, Counter, OrderedDict):
    tag = "d" if dict_class is dict else dict_class.__name__
    add(
        Row(
            tag=tag,
            fields="value*",
            classes=dict_class,
            write=_writes(tag),
            read=_read_dict(dict_class),
            change=_ITEMS,
        )
    )
