"""The table of types: every kind of value that a message can contain has a row.

A message is JSON text and a raw part. ``null``, ``true``, numbers and text stand for
themselves; any other value is a JSON list of a tag and its fields. There is no pickle
and no JSON object, so no message can name code to run. The rows are in `python_values`,
`numpy_values`, `objects`, and in a module for each library. ``docs/protocol.md``
describes them, and the fuzz tests use them.
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

from nbproctor.protocol.budget import ALIGN, MAX_DEPTH, MessageBudget
from nbproctor.protocol.frames import Encoded, ProtocolError, UnsendableError

Node = Any  # of JSON: one that stands for itself, or a list of a tag and its fields
Parts = tuple[Any, ...]
Mutable = Any  # a list, dict, set, array, table …
# Whether a field can have this value. The sender checks it, too: a value whose parts do
# not fit stays in its process.
Field = Callable[[Any], bool]


class Change(NamedTuple):
    """How to compare and to change a value that can be changed in place."""

    copy: Callable[[Any], Any]  # makes what `same` compares the value with later
    # Compares every bit; None if the original cannot take over the change.
    same: Callable[[Any, Any], bool | None]
    assign: Callable[[Any, Any], None]  # gives the first value the second's content


class Row(NamedTuple):
    """One type of value. It has either `write` and `read`, or `parts` and `build`."""

    tag: str  # for a value of a library: the library's name, a dot, the value's name
    fields: str  # keys of `FIELDS`; a star after the last one means any number of it
    classes: type | tuple[type, ...]  # exactly these, no derived classes
    # Called with a `Sender`, a value and a depth. Returns the value's node; None if the
    # value stays in its process.
    write: Any = None
    read: Any = None  # called with a `Receiver`, a node and a depth; returns the value
    change: Change | None = None
    # Returns one part for each field; None if the value exceeds a limit.
    parts: Callable[[Any], Parts | None] | None = None
    build: Any = None  # makes a value; raises any exception if the parts do not fit


@cache
def _kinds_of(fields: str) -> tuple[list[Field], list[Field]]:
    """Return the kinds of the single fields, and the kinds of those with a star."""
    once = []
    starred = []
    for name in fields.split():
        if name.endswith("*"):
            starred.append(FIELDS[name[:-1]])
        else:
            once.append(FIELDS[name])
    return once, starred


def _fit(row: Row, parts: Sequence[Any]) -> bool:
    """Whether the number of parts is right, and each part fits its field."""
    once, starred = _kinds_of(row.fields)
    kinds = once + starred * (len(parts) - len(once))
    if len(kinds) != len(parts):
        return False
    return all(fits(part) for fits, part in zip(kinds, parts, strict=True))


def exactly(kind: type) -> Field:
    """Return a function that says whether a field has exactly this type."""
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
    """Return how to compare and to change a value; None if it cannot be changed."""
    row = _row_of.get(type(value))
    return row.change if row else None


def parts_of(value: Any) -> Parts | None:
    """Return the parts of a value; None if it is not sent by parts, or too large."""
    row = _row_of.get(type(value))
    if row is None or row.parts is None:
        return None
    try:
        parts = row.parts(value)
        if parts is not None and _fit(row, parts):
            return parts
    except Exception:  # a library may fail at its own unusual values
        pass
    return None


# --- libraries ------------------------------------------------------------------------


# Libraries with a module of rows → the modules that import them. Judge and student
# process are forks of one process, so both have these rows, or neither has. Without
# pandas, nothing changes, and pandas is not imported.
LIBRARIES = {"pandas": {"pandas", "seaborn", "statsmodels"}}


def libraries_used(modules: Iterable[str]) -> list[str]:
    """Return the libraries with rows that these modules are, or import."""
    tops = {name.partition(".")[0] for name in modules}
    return [name for name, importers in LIBRARIES.items() if tops & importers]


def load_rows() -> None:
    """Load the rows of the libraries that are imported here, before any fork."""
    for name in LIBRARIES:
        if name in sys.modules:
            import_module(f"nbproctor.protocol.{name}_values")


# --- messages -------------------------------------------------------------------------

_JSON = {type(None), bool, int, float, str}
_AS_IT_IS = _JSON - {int, float}
_SMALL = 1 << 63
_UNFINISHED = -1
_ARRAYS = ["a"], ["O"]  # how their nodes begin


@dataclass(kw_only=True)
class Sender(MessageBudget, Encoded):
    """Writes a message's values as JSON and a raw part; see `rpc.encode`."""

    error = UnsendableError
    subject = "a value"
    finite = True  # whether all floats so far are finite

    default: Callable[[Any], Any]
    received: Mapping[int, int]
    # Numbers of the mutable parts, by `id`.
    _numbers: dict[int, int] = field(default_factory=dict)

    def write_value(self, x: Any, depth: int) -> Node:
        """Write a value; `depth` is the number of values that contain it."""
        kind = type(x)
        if kind in _AS_IT_IS:
            return x
        if kind is int and -_SMALL <= x < _SMALL:
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
            if node is None:  # it stays in its process
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
        self.spend("bytes", size + gap)
        self.buffers.append(data)
        if gap:
            self.buffers.append(bytes(gap))

    def _write_fallback(self, x: Any, depth: int) -> Node:
        """Write a value that has no row, or exceeds the limits of its row."""
        kind = type(x)  # not its ``__class__``, which it can choose
        if kind is np.str_:  # an item of an array of text
            return str(x)
        masked = sys.modules.get("numpy.ma")  # imported at its first use
        if masked and kind is masked.MaskedArray and not masked.is_masked(x):
            return self.write_value(x.data, depth)
        if issubclass(kind, np.generic):  # of a derived class
            for base in kind.__mro__[1:]:
                if base in _row_of:
                    return self.write_value(base(x), depth)
        return self.write_value(self.default(x), depth)


@dataclass(kw_only=True)
class Receiver(MessageBudget):
    """Makes a value from JSON and a raw part; for its fields, see `rpc.decode`."""

    error = ProtocolError
    subject = "a message"
    value: Any = None  # the decoded value, which its user may change
    position = 0  # the number of bytes of the raw part that were read
    # Whether the message repeats one of its parts, or a part of its request.
    has_repeats = False
    has_text = False  # or bytes, which its sender may have chosen

    raw: memoryview
    resolve: Callable[[Any], Any]
    track: bool
    request: Sequence[Mutable]
    # In the order in which they begin; None if not yet complete.
    mutables: list[Mutable] = field(default_factory=list)
    copies: list[Any] = field(default_factory=list)  # of `mutables`, for `Change.same`

    def read_value(self, x: Node, depth: int) -> Any:
        """Read a value; `depth` is the number of values that contain it."""
        kind = type(x)
        if kind in _JSON:
            self.has_text |= kind is str
            return x
        tag = x[0] if kind is list and x else None
        row = ROWS.get(tag) if type(tag) is str else None
        if not row:
            raise ProtocolError("a value has no tag, or an unknown one")
        if depth > MAX_DEPTH:
            raise ProtocolError("a value is nested too deep")
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
            elif type(x) is str:
                self.has_text = True
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

        Returns numbers and copies of those that have changed, and the numbers of all by
        `id`.
        """
        changes = []
        numbers = {}
        for number, now in enumerate(self.mutables):
            change = change_of(now)
            same = change and change.same(now, self.copies[number])
            if same is None:  # the original cannot take over the change
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
    parts = parts_of(x)
    if parts is None:
        return None
    node = [row.tag]
    for part in parts:
        # An array that is a part has no number, because it is not changed by itself.
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
        is_array = type(part) is list and part[:1] in _ARRAYS
        if is_array:
            parts[index] = ROWS[part[0]].read(receiver, part, depth + 1)
        else:
            parts[index] = receiver.read_value(part, depth)
    try:
        if _fit(row, parts):
            return row.build(*parts)
    except Exception as error:  # libraries raise many kinds if parts do not fit
        raise ProtocolError("parts do not fit") from error
    raise ProtocolError(f"a value with tag {row.tag!r} has parts of another kind")
