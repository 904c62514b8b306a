"""The table of types: every kind of value that a message can hold, one row each.

A message is JSON text and a raw part. ``null``, ``true``, numbers and text stand for
themselves; any other value is a JSON list of a tag and its fields. There is no pickle
and no JSON object, so no message can name code to run. The rows stand in
`python_values`, `numpy_values`, `objects`, and in a module for each library;
``docs/protocol.md`` says what they mean, and the fuzz tests are held against them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import cache, partial
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from nbproctor.protocol.budget import ALIGN, LIMITS, MAX_DEPTH, MessageBudget
from nbproctor.protocol.frames import Encoded, ProtocolError, UnsendableError

Node = Any  # what JSON can hold: a value by itself, or a list of a tag and its fields
Parts = tuple[Any, ...]
Mutable = Any  # a list, dict, set, array, table …
# Whether a field can be this. The sender asks it too: what does not fit stays there.
Field = Callable[[Any], bool]


class Change(NamedTuple):
    """How a value that can be changed in place is compared and changed."""

    copy: Callable[[Any], Any]  # what `same` compares it with later
    # To the bit; None if it has become something that the original cannot become.
    same: Callable[[Any, Any], bool | None]
    assign: Callable[[Any, Any], None]  # gives the first the content of the second


class Row(NamedTuple):
    """One type of value, which is written and read, or sent by its parts."""

    tag: str  # of a value of a library: its name, a dot and that of the value
    fields: str  # keys of `FIELDS`, the last one perhaps with a star: any number of it
    classes: type | tuple[type, ...]  # exactly these, nothing derived from them
    # Called with a `Sender`, a value and a depth: its node; None if it stays there.
    write: Any = None
    read: Any = None  # called with a `Receiver`, a node and a depth: the value
    change: Change | None = None
    # Takes a value apart, one part for each field; None beyond the limits.
    parts: Callable[[Any], Parts | None] | None = None
    build: Any = None  # makes a value, or raises whatever where the parts do not fit


@cache
def _kinds_of(fields: str) -> tuple[list[Field], list[Field]]:
    """Return the kinds of the fields that there are once, and of those with a star."""
    once = []
    starred = []
    for name in fields.split():
        if name.endswith("*"):
            starred.append(FIELDS[name[:-1]])
        else:
            once.append(FIELDS[name])
    return once, starred


def _fit(row: Row, parts: Sequence[Any]) -> bool:
    """Whether there are as many parts as fields, and each is what its field says."""
    once, starred = _kinds_of(row.fields)
    kinds = once + starred * (len(parts) - len(once))
    return len(kinds) == len(parts) and all(
        fits(part) for fits, part in zip(kinds, parts, strict=True)
    )


def exactly(kind: type) -> Field:
    """Make the question whether a field is of this type, not of one derived from it."""
    return lambda x: type(x) is kind


ROWS: dict[str, Row] = {}  # by tag
FIELDS: dict[str, Field] = {
    "value": lambda x: True,
    "key": lambda x: True,
    "count": lambda x: type(x) is int and x >= 0,
    "integer": exactly(int),
    "float": exactly(float),
    "text": exactly(str),
    "flag": exactly(bool),
}
_row_of: dict[type, Row] = {}


def add_rows(*rows: Row) -> None:
    """Add rows to the table."""
    for row in rows:
        complete = row._replace(
            write=row.write or partial(_write_parts, row),
            read=row.read or partial(_read_parts, row),
        )
        ROWS[row.tag] = complete
        classes = row.classes if isinstance(row.classes, tuple) else (row.classes,)
        for kind in classes:
            _row_of[kind] = complete


def change_of(value: Any) -> Change | None:
    """Return how to compare and to change a value in place, if that can be."""
    row = _row_of.get(type(value))
    return row.change if row else None


def parts_of(value: Any) -> Parts | None:
    """Return the parts of a value that is sent by its parts; None beyond the limits."""
    row = _row_of.get(type(value))
    if row is None or row.parts is None:
        return None
    try:
        parts = row.parts(value)
        if parts is not None and _fit(row, parts):
            return parts
    except Exception:  # what a library says of its own unusual values
        pass
    return None


# --- libraries ------------------------------------------------------------------------


# Libraries with a module of rows → who imports them. Judge and student process are
# forks of one process, so both have these rows, or neither has: without pandas, nothing
# changes, and nobody imports it.
LIBRARIES = {"pandas": {"pandas", "seaborn", "statsmodels"}}


def libraries_used(modules: Iterable[str]) -> list[str]:
    """Return the libraries with rows that are among these modules, or come with one."""
    tops = {name.partition(".")[0] for name in modules}
    return [name for name, importers in LIBRARIES.items() if tops & importers]


def load_rows() -> None:
    """Load the rows of the libraries that are imported here, before any fork."""
    for name in LIBRARIES.keys() & sys.modules.keys():
        import_module(f"nbproctor.protocol.{name}_values")


# --- messages -------------------------------------------------------------------------

_JSON = {type(None), bool, int, float, str}
_AS_IT_IS = _JSON - {int, float}
_SMALL = 1 << 63
_UNFINISHED = -1
_ARRAYS = ["a"], ["O"]  # how their nodes begin


@dataclass(kw_only=True)
class Sender(MessageBudget, Encoded):
    """Makes JSON of a message's values, and a raw part; see `rpc.encode`."""

    error = UnsendableError
    subject = "a value"
    finite = True  # all floats of it, so far

    default: Callable[[Any], Any]
    received: Mapping[int, int]
    # Of the mutable parts, by `id`.
    _numbers: dict[int, int] = field(default_factory=dict)
    # Values by `id`.
    _parts_by_id: dict[int, tuple[Any, Parts | None]] = field(default_factory=dict)

    def write_value(self, x: Any, depth: int) -> Node:
        """Write a value; `depth` counts the values around it."""
        kind = type(x)
        if kind in _AS_IT_IS or (kind is int and -_SMALL <= x < _SMALL):
            return x
        if kind is float:
            if x - x != 0:
                self.finite = False
            return x
        if depth > MAX_DEPTH:
            raise UnsendableError(f"a value is nested more than {MAX_DEPTH} deep")
        row = _row_of.get(kind)
        if row:
            if not row.change:
                node = row.write(self, x, depth + 1)
            else:
                node = self._write_mutable(row, x, depth + 1)
            if node is not None:
                return node
        return self._write_fallback(x, depth)

    def write_values(self, items: list[Any], depth: int) -> list[Node]:
        """Write the values of a list, which may begin with a tag, in their places."""
        for index, x in enumerate(items):
            if type(x) not in _AS_IT_IS:
                items[index] = self.write_value(x, depth)
        return items

    def _write_mutable(
        self,
        row: Row,
        x: Mutable,
        depth: int,
    ) -> Node:
        """Write a part in full once; from then on, its number stands for it."""
        key = id(x)
        numbers = self._numbers
        number = numbers.get(key)
        if number is None:
            if key in self.received:
                return ["request", self.received[key]]
            number = len(self.mutables)
            self.mutables.append(x)
            numbers[key] = _UNFINISHED
            node = row.write(self, x, depth)
            if node is None:  # it stays where it is
                self.mutables.pop()
                del numbers[key]
            else:
                numbers[key] = number
            return node
        if number == _UNFINISHED:
            raise UnsendableError("a value contains itself")
        return ["again", number]

    def append_buffer(self, data: Any, size: int) -> None:
        """Append bytes to the raw part."""
        if not size:
            return
        gap = -size % ALIGN
        self.size += size + gap
        if self.size > LIMITS["bytes"]:
            self.spend("bytes", self.size)
        self.buffers.append(data)
        if gap:
            self.buffers.append(bytes(gap))

    def take_apart(self, x: Any) -> Parts | None:
        """Return the parts of a value if it goes whole, with what it is made of.

        A table with an index that stays where it is would be no table.
        """
        key = id(x)
        if key not in self._parts_by_id:
            parts = parts_of(x)
            if parts is not None and not self._is_sendable(parts):
                parts = None
            self._parts_by_id[key] = x, parts  # kept, so that no other gets its `id`
        return self._parts_by_id[key][1]

    def _is_sendable(self, part: Any) -> bool:
        if type(part) is tuple:
            return all(map(self._is_sendable, part))
        row = _row_of.get(type(part))
        if not row or "." not in row.tag:
            return True
        return self.take_apart(part) is not None

    def _write_fallback(self, x: Any, depth: int) -> Node:
        """Write what is in no row, or beyond the limits of its row."""
        kind = type(x)  # not what it says of itself
        if issubclass(kind, np.generic):  # of a class of somebody's
            for base in kind.__mro__[1:]:
                if base in _row_of:
                    return self.write_value(base(x), depth)
        return self.write_value(self.default(x), depth)


@dataclass(kw_only=True)
class Receiver(MessageBudget):
    """Makes a value of what JSON held; for its fields, see `rpc.decode`."""

    error = ProtocolError
    subject = "a message"
    value: Any = None  # as it was sent, changed by whoever got it
    position = 0  # bytes of the raw part that are taken, by one value after the other
    # Whether a part, or one of what it replies to, is there repeatedly.
    has_repeats = False

    raw: memoryview
    resolve: Callable[[Any], Any]
    track: bool
    request: Sequence[Mutable]
    # In order of beginning; None: not whole yet.
    mutables: list[Mutable] = field(default_factory=list)
    copies: list[Any] = field(default_factory=list)  # of these, for `Change.same`

    def read_value(self, x: Node, depth: int) -> Any:
        """Read a value; `depth` counts the values around it."""
        kind = type(x)
        if kind in _JSON:
            return x
        if kind is not list or not x or type(x[0]) is not str or depth > MAX_DEPTH:
            raise ProtocolError("a value has no tag, or is nested too deep")
        row = ROWS.get(x[0])
        if not row:
            raise ProtocolError("a value has an unknown tag")
        change = row.change
        if not change:
            return row.read(self, x, depth + 1)
        number = len(self.mutables)
        self.mutables.append(None)
        self.copies.append(None)
        part = row.read(self, x, depth + 1)
        self.mutables[number] = part
        if self.track:
            self.copies[number] = change.copy(part)
        return part

    def read_fields(
        self,
        node: list[Node],
        depth: int,
        start: int = 1,
    ) -> list[Any]:
        """Read the values of a node from `start` on; `depth` is that of the node."""
        items = node[start:]
        for index, x in enumerate(items):
            if type(x) not in _JSON:
                items[index] = self.read_value(x, depth)
        return items

    def read_bytes(self, size: int) -> memoryview:
        """Return the next bytes of the raw part."""
        end = self.position + size
        if end > len(self.raw):
            raise ProtocolError("a value is longer than the raw part of its frame")
        part = self.raw[self.position : end]
        self.position = end + -size % ALIGN
        return part

    def compare(self) -> tuple[list[tuple[int, Mutable]], dict[int, int]]:
        """Compare the mutable parts with what arrived.

        Returns numbers and copies of those that have changed, and `id` → number of all.
        """
        changes = []
        numbers = {}
        for number, now in enumerate(self.mutables):
            change = change_of(now)
            same = change and change.same(now, self.copies[number])
            if same is None:  # it cannot be what its original becomes
                continue
            numbers[id(now)] = number
            if not same:
                changes.append((number, copy(now)))
        return changes, numbers


# --- values by their parts ------------------------------------------------------------


def _write_parts(
    row: Row,
    sender: Sender,
    x: Any,
    depth: int,
) -> Node:
    parts = sender.take_apart(x) if "." in row.tag else parts_of(x)
    if parts is None:
        return None
    node = [row.tag]
    for part in parts:
        # An array that is a part has no number of its own: it cannot change by itself.
        if type(part) is np.ndarray:
            node.append(ROWS["a"].write(sender, part, depth + 1))
        else:
            node.append(sender.write_value(part, depth))
    return node


def _read_parts(
    row: Row,
    receiver: Receiver,
    node: list[Node],
    depth: int,
) -> Any:
    parts = node[1:]
    for index, part in enumerate(parts):
        if type(part) is list and part[:1] in _ARRAYS:
            parts[index] = ROWS[part[0]].read(receiver, part, depth + 1)
        else:
            parts[index] = receiver.read_value(part, depth)
    try:
        if _fit(row, parts):
            return row.build(*parts)
    except Exception as error:  # whatever its library says of parts that do not fit
        raise ProtocolError("parts do not fit") from error
    raise ProtocolError(f"a value with tag {row.tag!r} has parts of another kind")
