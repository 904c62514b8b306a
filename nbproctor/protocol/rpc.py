"""Requests and replies on one wire, between two sides that both send requests.

A side may send a request while it answers one (a student's code calls a function that
the test handed over), so requests are nested like calls on a stack. The receiver of a
request has copies of its lists, dictionaries, sets and arrays. If the receiver changes
them, the changes come back with the reply and are written into the originals. If such a
copy is part of the reply, the original takes its place, as if both sides shared memory.

A request is a tuple of its name and its arguments; two tables list all requests. The
table of types turns requests into frames, and frames into values. A decoded value has
exactly the type of its row, never a subclass that a student wrote. A message that
cannot be read always raises `ProtocolError`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from threading import RLock
from typing import Any

import msgspec
import numpy as np

from nbproctor.protocol import numpy_values, python_values  # noqa: F401 (their rows)
from nbproctor.protocol.budget import ALIGN
from nbproctor.protocol.frames import (
    Deadline,
    Encoded,
    Frame,
    Interruption,
    ProtocolError,
    UnsendableError,
    Wire,
)
from nbproctor.protocol.objects import Ref
from nbproctor.protocol.table import Mutable, Node, Receiver, Sender, change_of

REQUEST, VALUE, RAISED = range(3)


# Names and types of the arguments of each request; ``object`` means any value.
Requests = Mapping[str, Mapping[str, type]]
TO_STUDENT: Requests = {
    "unpack": {"files": dict},
    "run": {
        "source": str,
        "cell": object,
        "keeps_names": bool,
    },
    "begin": {"names": tuple, "keep": tuple},
    "call": {
        "target": object,
        "args": tuple,
        "kwargs": dict,
    },
    "calls": {"calls": list, "keep": bool},
    "get": {"target": object, "name": str},
    "set": {
        "target": object,
        "name": str,
        "value": object,
    },
    "apply": {"name": str, "arguments": list},
    "seed": {"module": str, "arguments": list},
    "end": {"decided": list},
    "lend": {"functions": dict},
    "untried": {},
}
# `number` is the number of an object that the test handed over.
TO_JUDGE: Requests = {
    "get": {"number": int, "name": str},
    "set": {
        "number": int,
        "name": str,
        "value": object,
    },
    "call": {
        "number": int,
        "args": tuple,
        "kwargs": dict,
    },
    "method": {
        "number": int,
        "name": str,
        "args": tuple,
        "kwargs": dict,
    },
    "item": {"number": int, "key": object},
    "len": {"number": int},
    "attributes": {"number": int},
}


def _check(kinds: Mapping[str, type], arguments: list[Any]) -> None:
    """Refuse arguments unless their number and exact types are those of a request."""
    types = [*kinds.values()]
    fits = len(arguments) == len(types)
    for argument, kind in zip(arguments, types, strict=False):
        fits &= kind in (object, type(argument))
    if not fits:
        raise ProtocolError("a request has other arguments than it should")


@dataclass
class Connection:
    """One side of a connection, which answers `requests` with `handler`.

    ``handler.answer`` gets the name of a request and its arguments. Its result, or any
    exception except `Interruption`, is the reply. ``handler.default`` is used by
    `encode`, ``handler.resolve`` by `decode`. ``handler.describe_exception`` turns an
    exception into a plain value, and ``handler.rebuild_exception`` turns the other
    side's description into an exception.
    """

    wire: Wire
    requests: Requests
    handler: Any
    # All threads of a student may use objects of the test, but one at a time.
    turn: Any = field(default_factory=RLock)
    has_text: bool = False  # whether text or bytes have come since the last reset

    def ask(
        self,
        name: str,
        *arguments: Any,
        deadline: Deadline | None = None,
    ) -> Any:
        """Send a request, and return the other side's reply.

        An exception of the other side is raised here, as `handler` rebuilds it. After
        `UnsendableError`, the connection can still be used. `ProtocolError`: the other
        side is late or gone, or breaks the protocol.
        """
        request = name, *arguments
        encoded = encode(request, self.handler.default)
        with self.turn:
            frame = self._exchange(encoded, deadline)
            decoded = decode(frame, self.handler.resolve, request=encoded.mutables)
        self.has_text |= decoded.has_text
        reply = decoded.value
        if type(reply) is not tuple or len(reply) != 2:
            raise ProtocolError("a reply is not a value with changes")
        value, changes = reply
        if changes is not None:
            if decoded.has_repeats:
                check_repeats([changes])  # they are going to be copied
            write_back(encoded.mutables, changes)
        if decoded.has_repeats:
            check_repeats([value, *encoded.mutables])
        if frame.kind == VALUE:
            return value
        raise self.handler.rebuild_exception(value)

    def _exchange(self, request: Encoded, deadline: Deadline | None) -> Frame:
        """Send a request, answer those of the other side, and return the reply."""
        try:
            self.wire.send(REQUEST, request, deadline)
            while True:
                frame = self.wire.receive(deadline)
                if frame.kind != REQUEST:
                    return frame
                self._serve(frame, deadline)
        except ProtocolError:
            raise
        except Exception as error:
            # Out of memory, for example. A reply that was not read would be taken for
            # that of the next request.
            raise ProtocolError("a message was lost") from error

    def serve(self) -> None:
        """Answer requests until the other side is gone."""
        while True:
            self._serve(self.wire.receive(), None)

    def _serve(self, frame: Frame, deadline: Deadline | None) -> None:
        handler = self.handler
        if frame.kind != REQUEST:
            raise ProtocolError("a reply came where a request was expected")
        request = decode(frame, handler.resolve, track=True)
        self.has_text = True  # at least the name of the request
        if request.has_repeats:
            check_repeats([request.value])
        match request.value:
            case (str(name), *arguments) if name in self.requests:
                _check(self.requests[name], arguments)
            case _:
                raise ProtocolError("a request does not exist")
        kind = VALUE
        try:
            value = handler.answer(name, arguments)
        except (ProtocolError, Interruption):
            raise
        except BaseException as error:
            kind = RAISED
            value = handler.describe_exception(error)
        try:
            changes, numbers = request.compare()
            reply = value, changes or None
            encoded = encode(reply, handler.default, numbers)
        except Interruption:
            raise
        except BaseException as error:  # a student's object may raise anything
            kind = RAISED
            description = handler.describe_exception(error)
            encoded = encode((description, None), handler.default)
        self.wire.send(kind, encoded, deadline)


# --- values to frames and back --------------------------------------------------------

_UNREADABLE = ValueError, TypeError, ArithmeticError, RecursionError, MemoryError
NOTHING: Mapping[int, int] = {}


def encode(
    value: Any,
    default: Callable[[Any], Any],
    received: Mapping[int, int] = NOTHING,
) -> Encoded:
    """Encode a value.

    For a value that has no row in the table, `default` returns a `Ref`, or a simpler
    value that is encoded in its place. For a reply, `received` has the numbers of the
    mutable parts of the request, by `id`. `UnsendableError`: the value is nested too
    deep, too large, or refused.
    """
    sender = Sender(default=default, received=received)
    try:
        node = sender.write_value(value, 0)
        text = _write_text(node, finite=sender.finite)
    except (RecursionError, RuntimeError, ValueError) as error:
        raise UnsendableError(f"a value cannot be sent: {error}") from error
    sender.spend_text(text)
    # The raw part starts aligned, so that arrays can be views of it.
    sender.text = text + b" " * (-len(text) % ALIGN)
    return sender


def decode(
    frame: Frame,
    resolve: Callable[[Ref], Any],
    *,
    track: bool = False,
    request: Sequence[Mutable] = (),
) -> Receiver:
    """Decode a frame; raise `ProtocolError` if anything is wrong with it.

    `resolve` returns the object for a reference. With `track`, the mutable parts are
    copied for `Receiver.compare`. For a reply, `request` has the mutable parts of the
    request.
    """
    receiver = Receiver(
        raw=frame.raw,
        resolve=resolve,
        track=track,
        request=request,
    )
    try:
        text = bytes(frame.text)
        receiver.spend_text(text)
        receiver.value = receiver.read_value(_read_text(text), 0)
    except ProtocolError:
        raise
    except _UNREADABLE as error:
        raise ProtocolError("a message cannot be read") from error
    if receiver.position != len(receiver.raw):
        raise ProtocolError("a message holds more data than it names")
    return receiver


def write_back(mutables: list[Mutable], changes: Any) -> None:
    """Change the originals of a request as the other side has changed its copies."""
    if type(changes) is not list:
        raise ProtocolError("the changes of a call are not a list")
    previous = -1
    for pair in changes:
        is_pair = type(pair) is tuple and len(pair) == 2
        if not is_pair or type(pair[0]) is not int:
            raise ProtocolError("a change of a call has no number")
        number, new = pair
        # Only in order, so each part once: to assign a long list a million times would
        # take hours.
        old = mutables[number] if previous < number < len(mutables) else None
        change = change_of(old)
        if not change or type(old) is not type(new):
            raise ProtocolError("a change of a call does not fit what was sent")
        previous = number
        change.assign(old, new)


# --- text -----------------------------------------------------------------------------

# msgspec is much faster than Python's own module, but it supports neither NaN and
# infinity nor single surrogates, which a student's floats and strings may contain.
_quick_write = msgspec.json.Encoder().encode
_quick_read = msgspec.json.Decoder().decode
_write_any = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_read_any = json.JSONDecoder().raw_decode


def _write_text(node: Node, *, finite: bool) -> bytes:
    if finite:  # msgspec writes null for floats that are not
        try:
            return _quick_write(node)
        except UnicodeEncodeError:  # a single surrogate
            pass
    return _write_any(node).encode()


def _read_text(text: bytes) -> Node:
    """Read JSON as Python's module does; there may be spaces after it."""
    text = text.rstrip(b" ")
    if text != text.strip():
        raise ProtocolError("a message has more blanks than it should")
    try:
        return _quick_read(text)
    except ValueError:
        node, end = _read_any(str(text, "utf-8"))
        if end != len(text):
            raise ProtocolError("a message has more than one value") from None
        return node


# --- repeated parts -------------------------------------------------------------------

# How many items a value may have in addition if each repeated part is counted every
# time. A list that contains a list twice, which contains another list twice, and so on,
# is short to send and takes forever to walk; a list that contains itself never ends.
MAX_REPEATED = 1 << 22
_OPEN = -1
_CONTAINERS = (list, tuple, set, frozenset)


def check_repeats(roots: Iterable[Any]) -> None:
    """Refuse values that contain themselves, or repeat their parts too often."""
    sizes: dict[int, int] = {}  # by `id`, with each repeated part counted every time
    once = 0

    def size_of(x: Any) -> int:
        nonlocal once
        own_size, parts = _measure(x)
        if not own_size:
            return 0
        key = id(x)
        known_size = sizes.get(key)
        if known_size == _OPEN:
            raise ProtocolError("a value contains itself")
        if known_size is not None:
            return known_size
        sizes[key] = _OPEN
        once += own_size
        size = own_size + sum(map(size_of, parts))
        sizes[key] = size
        return size

    try:
        whole = sum(map(size_of, roots))
    except RecursionError:
        raise ProtocolError("a value is nested too deep") from None
    if whole > once + MAX_REPEATED:
        raise ProtocolError("a value repeats its parts too often")


def _measure(x: Any) -> tuple[int, Iterable[Any]]:
    """Return the size of a value without its parts, and the parts.

    The size is 0 if reading it takes almost no time. Check `sizes` before reading the
    parts, because they may be long.
    """
    kind = type(x)
    if kind in (str, bytes):
        return len(x) >> 6, ()
    if kind is int:
        return x.bit_length() >> 6, ()
    if kind is range:
        return len(x) + 1, ()
    if issubclass(kind, dict):
        return len(x) + 1, chain(x.keys(), x.values())
    if issubclass(kind, _CONTAINERS):
        return len(x) + 1, x
    if not change_of(x):
        return 0, ()
    size = getattr(x, "size", 0) + 1  # of an array, a table or a stream
    has_objects = kind is np.ndarray and x.dtype.kind == "O"
    return size, x.flat if has_objects else ()
