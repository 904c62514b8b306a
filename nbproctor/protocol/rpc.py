"""Requests and replies on one wire, each side asking the other in turn.

Either side may ask while it answers (a test hands the student a function of its own),
so requests nest like calls on a stack. The receiver of a request has copies of its
lists, dictionaries, sets and arrays. What the receiver changes in them comes back with
the reply and is written into the originals; a copy that is itself part of the reply
comes back as the original, as if both sides shared memory.

A request is a tuple of its name and its arguments; the tables say which there are. The
table of types makes a frame of it, and values of a frame. A decoded value has exactly
the type of its row, never a subclass that a student wrote. What cannot be read ends in
a `ProtocolError`, whatever is wrong with it.
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


# Names and types of the arguments of each request; ``object`` is any value.
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
# `number` is that of an object that the test handed over.
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
    """Refuse arguments that have not the number or the exact types of a request."""
    fits = len(arguments) == len(kinds)
    for argument, kind in zip(arguments, kinds.values(), strict=False):
        if kind not in (object, type(argument)):
            fits = False
    if not fits:
        raise ProtocolError("a request has other arguments than it should")


@dataclass
class Connection:
    """One side of the conversation, which answers `requests` by what `handler` says.

    ``handler.answer`` gets the name of a request and its arguments; its result, or
    whatever it raises but an `Interruption`, is the reply. ``handler.default`` is that
    of `encode`, ``handler.resolve`` that of `decode`. ``handler.describe_exception``
    makes a plain value of an exception, ``handler.rebuild_exception`` an exception of
    the other side's description.
    """

    wire: Wire
    requests: Requests
    handler: Any
    # A student's threads may all use objects of the test's, one at a time.
    turn: Any = field(default_factory=RLock)

    def ask(
        self,
        name: str,
        *arguments: Any,
        deadline: Deadline | None = None,
    ) -> Any:
        """Ask the other side and wait for its reply.

        It raises what the other side raised, as `handler` makes it; `UnsendableError`,
        after which the connection is still good; `ProtocolError`: the other side is
        late, gone or does not keep to the protocol.
        """
        request = name, *arguments
        encoded = encode(request, self.handler.default)
        with self.turn:
            frame = self._exchange(encoded, deadline)
            decoded = decode(frame, self.handler.resolve, request=encoded.mutables)
        reply = decoded.value
        if type(reply) is not tuple or len(reply) != 2:
            raise ProtocolError("a reply is not a value with changes")
        value, changes = reply
        if changes is not None:
            if decoded.has_repeats:
                check_repeats([changes])  # what is to be copied
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
            # No memory, no stack: a reply that was not read would answer the next call.
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
        except BaseException as error:  # an object of a student's may raise anything
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

    What is in no row of the table is asked of `default`, which returns a `Ref`, other
    items of `objects`, or a plainer value. `received` has the numbers, by `id`, of
    mutable parts of the request that this replies to. `UnsendableError`: too deep, too
    large, or refused.
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
    """Decode a frame; `ProtocolError`, whatever is wrong with it.

    `resolve` makes something of a reference. With `track`, the mutable parts are
    copied, so that `Receiver.compare` can be asked; `request` are those of the request
    that this frame replies to.
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
    """Give the originals of a request what was changed in their copies."""
    if type(changes) is not list:
        raise ProtocolError("the changes of a call are not a list")
    previous = -1
    for pair in changes:
        if type(pair) is not tuple or len(pair) != 2 or type(pair[0]) is not int:
            raise ProtocolError("a change of a call has no number")
        number, new = pair
        # Each part once: a long list given to it a million times would take hours.
        old = mutables[number] if previous < number < len(mutables) else None
        change = change_of(old)
        if not change or type(old) is not type(new):
            raise ProtocolError("a change of a call does not fit what was sent")
        previous = number
        change.assign(old, new)


# --- text -----------------------------------------------------------------------------

# msgspec takes a fraction of the time of Python's own module, and knows neither NaN and
# infinity nor halves of surrogate pairs, which a student's floats and strings may hold.
_quick_write = msgspec.json.Encoder().encode
_quick_read = msgspec.json.Decoder().decode
_write_any = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_read_any = json.JSONDecoder().raw_decode


def _write_text(node: Node, *, finite: bool) -> bytes:
    if finite:  # msgspec writes null for floats that are not
        try:
            return _quick_write(node)
        except UnicodeEncodeError:  # half of a surrogate pair
            pass
    return _write_any(node).encode()


def _read_text(text: bytes) -> Node:
    """Read JSON, behind which may be spaces; it is taken as Python's module does."""
    text = text.rstrip(b" ")
    if text[:1].isspace() or text[-1:].isspace():
        raise ProtocolError("a message has more blanks than it should")
    try:
        return _quick_read(text)
    except ValueError:
        node, end = _read_any(str(text, "utf-8"))
        if end != len(text):
            raise ProtocolError("a message has more than one value") from None
        return node


# --- repeated parts -------------------------------------------------------------------

# Items that a value may have more when written out than it has in all its parts. A list
# that holds a list twice, which holds another list twice, and so on, is short to send
# and takes forever to walk; a list that holds itself never ends.
MAX_REPEATED = 1 << 22
_OPEN = -1
_CONTAINERS = (list, tuple, set, frozenset)


def check_repeats(roots: Iterable[Any]) -> None:
    """Refuse values that contain themselves, or repeat their parts too often."""
    sizes: dict[int, int] = {}  # with all parts, each as often as it is there, by `id`
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
    """Return the size of a value without its parts (0: it is quickly read), and these.

    The parts of one that was measured before are not looked at.
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
    has_parts = kind is np.ndarray and x.dtype.kind == "O"
    # An array, a table or a stream.
    return getattr(x, "size", 0) + 1, x.flat if has_parts else ()
