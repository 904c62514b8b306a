"""Frames between judge and student process: numbered, limited in size and in time.

A frame consists of a fixed head, a JSON text and raw buffers. This module does not
decode it. Whatever the other side sends, or fails to send, this side does not wait past
its deadline (except for a moment), and uses no more memory than the bytes that came.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeAlias

import numpy as np

from nbproctor.errors import NbproctorError
from nbproctor.protocol.budget import LIMITS

_MAGIC = b"NP"
_VERSION = 1
# Magic, version, kind, sequence number, size of JSON and raw part; padded, so that the
# next part is aligned.
_HEAD = struct.Struct("<2sBBIIQ12x")
_CHUNK = 1 << 16
_GONE = "the other side is gone"
_SLACK = 0.2  # seconds that a wait may exceed its deadline
_SLOWEST = 1e8  # bytes a second: in a slower transfer, the other side may compute
#: Returns how many seconds a wait may still take; raises `LateError` if none are left.
Deadline: TypeAlias = Callable[[], float]


class ProtocolError(NbproctorError):
    """The other side broke the protocol, so the connection cannot be used any more."""


class UnsendableError(NbproctorError, TypeError):
    """A value cannot be sent; the connection is still good."""


class LateError(ProtocolError):
    """A message did not arrive, or could not be sent, before its deadline."""


class ClosedError(ProtocolError):
    """The other side has closed the connection."""


class Interruption(BaseException):
    """Ends running code from outside; no cell or function raises it."""


@dataclass
class Encoded:
    """A value ready to be sent, and its mutable parts in order of appearance."""

    text: bytes = b""
    buffers: list[Any] = field(default_factory=list)  # of the raw part
    size: int = 0  # of the buffers, in bytes
    mutables: list[Any] = field(default_factory=list)


@dataclass(slots=True)
class Frame:
    """One received message, not yet decoded."""

    kind: int
    text: memoryview
    raw: memoryview


class Wire:
    """Frames over a connected stream socket; each side numbers its frames."""

    # Seconds that the large frames of this process have travelled, for `judge.clock`.
    transfer_seconds: ClassVar[float] = 0.0

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._sent = self._received = 0
        self._unread = b""
        self._room = memoryview(bytearray(_CHUNK))

    def send(
        self,
        kind: int,
        encoded: Encoded,
        deadline: Deadline | None = None,
    ) -> None:
        """Send one frame before `deadline`."""
        text = encoded.text
        self._sent = self._sent + 1 & 0xFFFFFFFF
        head = _HEAD.pack(_MAGIC, _VERSION, kind, self._sent, len(text), encoded.size)
        if encoded.size < _CHUNK:
            parts = [b"".join([head, text, *encoded.buffers])]
        else:
            parts = [head + text, *encoded.buffers]
        begin = time.monotonic()
        for part in parts:
            unsent = memoryview(part)
            while unsent:
                count = self._call_with_deadline(self._sock.send, unsent, deadline)
                unsent = unsent[count:]
        self._note_transfer(encoded.size, begin)

    def receive(self, deadline: Deadline | None = None) -> Frame:
        """Receive one frame before `deadline`, however slowly its bytes come."""
        data = self._unread or self._receive_part(deadline)
        while len(data) < _HEAD.size:
            data += self._receive_part(deadline)
        magic, version, kind, number, text_size, raw_size = _HEAD.unpack_from(data)
        self._received = self._received + 1 & 0xFFFFFFFF
        if (magic, version) != (_MAGIC, _VERSION):
            raise ProtocolError("a message does not start as one of this version")
        if number != self._received:
            raise ProtocolError("a message is out of sequence")
        size = text_size + raw_size
        has_long_text = text_size > LIMITS["text"]
        if has_long_text or size > LIMITS["bytes"]:
            raise ProtocolError("a message is too large")
        end = _HEAD.size + size
        content = data[_HEAD.size : end]
        self._unread = data[end:]
        received = len(content)
        # The system provides memory when it is first written, so a head that lies about
        # the size costs nothing.
        view = np.empty(size, np.uint8).data
        view[:received] = content
        if received < size:
            begin = time.monotonic()
            while received < size:
                received += self._receive_into(view[received:], deadline)
            self._note_transfer(size, begin)
        return Frame(
            kind=kind,
            text=view[:text_size],
            raw=view[text_size:],
        )

    def _note_transfer(self, size: int, begin: float) -> None:
        seconds = time.monotonic() - begin
        Wire.transfer_seconds += min(seconds, size / _SLOWEST)

    def _receive_into(self, view: memoryview, deadline: Deadline | None) -> int:
        count = self._call_with_deadline(self._sock.recv_into, view, deadline)
        if not count:
            raise ClosedError(_GONE)
        return count

    def _receive_part(self, deadline: Deadline | None) -> bytes:
        # ``recv`` of 64 KiB would use new memory, which the system provides by pages.
        count = self._receive_into(self._room, deadline)
        return bytes(self._room[:count])

    def _call_with_deadline(
        self,
        operation: Callable[[memoryview], int],
        argument: memoryview,
        deadline: Deadline | None,
    ) -> int:
        while True:
            try:
                if deadline:
                    self._sock.settimeout(deadline() + _SLACK)
                return operation(argument)
            except TimeoutError:
                continue  # the deadline decides whether to go on
            except OSError as error:
                raise ClosedError(_GONE) from error
