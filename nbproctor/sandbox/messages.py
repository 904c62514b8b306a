"""Messages between parent, fork server and judges, which trust each other.

Blocks of bytes behind a length, and small JSON messages that can carry an open
descriptor, over local socket pairs.  Nothing that a student wrote comes this way: that
goes through `nbproctor.protocol`.
"""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

from nbproctor.sandbox.layers import SandboxError

Json = dict[str, Any]

READY, FAILED = b"\1", b"\0"
_LENGTH = struct.Struct("!Q")


def read(sock: socket.socket, size: int) -> bytes:
    """Read exactly `size` bytes; `EOFError` if the other side ends before that."""
    data = bytearray(size)
    got = 0
    while got < size:
        count = sock.recv_into(memoryview(data)[got:])
        if count == 0:
            raise EOFError("the other side has gone")
        got += count
    return bytes(data)


def write_block(sock: socket.socket, data: bytes, *descriptors: int) -> None:
    """Write a length and as many bytes; open descriptors travel with the length."""
    if descriptors:
        socket.send_fds(sock, [_LENGTH.pack(len(data))], descriptors)
        sock.sendall(data)
    else:  # also from inside a sandbox, which can send no descriptors
        sock.sendall(_LENGTH.pack(len(data)) + data)


def read_block(sock: socket.socket) -> bytes:
    """Read what `write_block` wrote."""
    return read(sock, *_LENGTH.unpack(read(sock, _LENGTH.size)))


def send(sock: socket.socket, message: Json, *descriptors: int) -> None:
    """Send one control message, with open descriptors."""
    write_block(sock, json.dumps(message).encode(), *descriptors)


def receive(sock: socket.socket) -> tuple[Json, list[int]]:
    """Receive one control message and its descriptors; `EOFError` at the end."""
    head, descriptors, _, _ = socket.recv_fds(sock, _LENGTH.size, 1)
    head += read(sock, _LENGTH.size - len(head)) if head else read(sock, 1)
    message: Json = json.loads(read(sock, *_LENGTH.unpack(head)))
    return message, descriptors


def confirm(sock: socket.socket) -> None:
    """Wait until a fork is inside its sandbox; `SandboxError` if it cannot enter."""
    if read(sock, 1) != READY:
        raise SandboxError(read_block(sock).decode())


class Child:
    """Student process, as its judge holds it.

    Attributes
    ----------
    sock : socket.socket
        The judge's end of the pair whose other end `student_main` got.
    pid : int
        The process id in the fork server's namespace.
    """

    def __init__(self, pid: int, sock: socket.socket, server: socket.socket) -> None:
        self.pid = pid
        self.sock = sock
        self._server: socket.socket | None = server

    def kill(self) -> None:
        """End the process, whatever it is doing; return when it is gone."""
        if self._server is not None:
            send(self._server, {"kill": self.pid})
            receive(self._server)
            self._server = None

    def close(self) -> None:
        """End the process and close the socket."""
        self.kill()
        self.sock.close()
