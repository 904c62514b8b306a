"""Requests and replies on one wire, each side asking the other in turn.

Either side may ask while it answers (a test hands the student a function of its own),
so requests nest like calls on a stack. The receiver of a request has copies of its
lists, dictionaries, sets and arrays. What the receiver changes in them comes back with
the reply and is written into the originals; a copy that is itself part of the reply
comes back as the original, as if both sides shared memory.

A request is a tuple of its name and its arguments; the tables say which there are.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nbproctor.protocol.codec import check_repeats, decode, encode, write_back
from nbproctor.protocol.frames import Encoded, Frame, ProtocolError, Wire

REQUEST, VALUE, RAISED = range(3)


# Names and types of the arguments of each request; ``object`` is any value.
Requests = Mapping[str, Mapping[str, type]]
TO_STUDENT: Requests = {
    "run": {"source": str, "cell": object},
    "begin": {"names": tuple, "keep": tuple},
    "call": {"target": object, "args": tuple, "kwargs": dict},
    "calls": {"calls": list, "keep": bool},
    "get": {"target": object, "name": str},
    "set": {"target": object, "name": str, "value": object},
    "apply": {"name": str, "arguments": list},
    "seed": {"module": str, "arguments": list},
    "filtered": {"filters": tuple, "request": str, "arguments": tuple},
    "stderr": {},
    "excuse": {"decided": list},
    "lend": {"functions": dict},
}
# `number` is that of an object that the test handed over.
TO_JUDGE: Requests = {
    "get": {"number": int, "name": str},
    "set": {"number": int, "name": str, "value": object},
    "call": {"number": int, "args": tuple, "kwargs": dict},
    "method": {"number": int, "name": str, "args": tuple, "kwargs": dict},
    "item": {"number": int, "key": object},
    "len": {"number": int},
}


def _check(kinds: Mapping[str, type], arguments: list[Any]) -> None:
    """Refuse arguments that have not the number or the exact types of a request."""
    pairs = zip(arguments, kinds.values(), strict=False)
    fits = all(kind in (object, type(argument)) for argument, kind in pairs)
    if not fits or len(arguments) != len(kinds):
        raise ProtocolError("a request has other arguments than it should")


@dataclass
class Connection:
    """One side of the conversation, which answers `requests` by what `side` says.

    ``side.answer`` gets the name of a request and its arguments; its result, or an
    exception of the class `caught` that it raises, is the reply. For ``side.default``
    and ``side.resolve``, see `codec`. ``side.describe`` makes a plain value of such an
    exception, ``side.revive`` an exception of what the other side's said.
    """

    wire: Wire
    requests: Requests
    side: Any
    caught: type[BaseException] = Exception
    # A student's threads may all call an object of the test's, one at a time.
    _turn: Any = field(default_factory=threading.RLock)

    def ask(self, name: str, *arguments: Any, deadline: float | None = None) -> Any:
        """Ask the other side and wait for its reply.

        It raises what the other side raised, as `revive` makes it; `UnsendableError`,
        after which the connection is still good; `ProtocolError`: the other side is
        late, gone or does not keep to the protocol.
        """
        asked = name, *arguments
        encoded = encode(asked, self.side.default)
        with self._turn:
            frame = self._exchange(encoded, deadline)
            decoded = decode(frame, self.side.resolve, request=encoded.mutables)
        reply = decoded.value
        if type(reply) is not tuple or len(reply) != 2:
            raise ProtocolError("a reply is not a value with changes")
        value, changes = reply
        if changes is not None:
            if decoded.shared:
                check_repeats([changes])  # what is to be copied
            write_back(encoded.mutables, changes)
        if decoded.shared:
            check_repeats([value, *encoded.mutables])
        if frame.kind == VALUE:
            return value
        raise self.side.revive(value)

    def _exchange(self, request: Encoded, deadline: float | None) -> Frame:
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
            raise ProtocolError(f"a message was lost ({error!r:.100})") from error

    def serve(self) -> None:
        """Answer requests until the other side is gone."""
        while True:
            self._serve(self.wire.receive(), None)

    def _serve(self, frame: Frame, deadline: float | None) -> None:
        if frame.kind != REQUEST:
            raise ProtocolError("a reply came where a request was expected")
        request = decode(frame, self.side.resolve, track=True)
        if request.shared:
            check_repeats([request.value])
        match request.value:
            case (str(name), *arguments) if name in self.requests:
                _check(self.requests[name], arguments)
            case _:
                raise ProtocolError("a request does not exist")
        kind = VALUE
        try:
            value = self.side.answer(name, arguments)
        except ProtocolError:
            raise
        except self.caught as error:
            kind, value = RAISED, self.side.describe(error)
        try:
            changes, numbers = request.compare()
            reply = value, changes or None
            encoded = encode(reply, self.side.default, numbers)
        except self.caught as error:  # an object of a student's may raise anything
            kind, told = RAISED, self.side.describe(error)
            encoded = encode((told, None), self.side.default)
        self.wire.send(kind, encoded, deadline)
