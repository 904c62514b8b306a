"""Forks of this process that enter the sandbox, and what they say to who forked them.

Messages are blocks of bytes behind a length, and small JSON objects that can carry an
open descriptor, over local socket pairs. Parent, fork server and judges trust each
other: nothing that a student wrote comes this way, that goes through
`nbproctor.protocol`.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from msgspec import json

from nbproctor.sandbox import layers
from nbproctor.sandbox.layers import SandboxError
from nbproctor.sandbox.policy import Policy

Json = dict[str, Any]

# Where forks have their folders inside bubblewrap, which shows all else read-only.
BUBBLEWRAP_FOLDER = Path("/tmp/nbproctor")
READY = b"\1"
FAILED = b"\0"
_LENGTH = struct.Struct("!Q")


@dataclass
class Fork:
    """A fork of this process, as the process that forked it holds it."""

    pid: int  # 0 when it has been collected
    sock: socket.socket  # the parent's end of the pair whose other end the fork has
    scratch: Path | None  # a folder, which `close` removes

    def processor_seconds(self) -> float:
        """Return the processor time that it has used so far."""
        return processor_seconds(self.pid)

    def close(self) -> None:
        """End the process, whatever it is doing; close its socket, remove `scratch`."""
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.pid = 0
        self.sock.close()
        if self.scratch and self.scratch.exists():
            shutil.rmtree(self.scratch)


def processor_seconds(pid: int) -> float:
    """Return the processor time of a process that has not been collected."""
    if sys.platform != "linux":
        return 0.0
    return time.clock_gettime(~pid << 3 | 2)  # how Linux numbers these clocks


def require_one_thread() -> None:
    """Raise `RuntimeError` if this process has threads.

    A fork has one thread, but a copy of the locks that all of them held.
    """
    tasks = Path("/proc/self/task")
    names = [thread.name for thread in threading.enumerate()]
    count = len(list(tasks.iterdir())) if tasks.exists() else len(names)
    if count != 1:
        raise RuntimeError(
            f"the fork server has {count} threads, so it must not fork (Python knows "
            f"{names}): a preloaded module starts threads"
        )


def fork(
    body: Callable[..., None],
    policy: Policy | None,
    scratch: Path | None = None,
    *descriptors: socket.socket,
) -> Fork:
    """Fork a process that enters the sandbox and runs `body`.

    The body gets the sockets of `descriptors`, and its end of a new pair; every other
    descriptor is closed. The process first reports whether it entered, to who calls
    `wait_until_sandboxed` at the other end of the new pair, and ends when `body` does.
    Without a policy, the process has no sandbox; with one, `scratch` is an existing
    empty folder. `OSError`: the kernel refuses another process or socket.
    """
    parent_end, child_end = socket.socketpair()
    with child_end:
        try:
            pid = os.fork()
        except OSError:
            parent_end.close()
            raise
        if pid == 0:
            _run_fork(body, policy, scratch, (*descriptors, child_end))
    return Fork(
        pid=pid,
        sock=parent_end,
        scratch=scratch,
    )


def _run_fork(
    body: Callable[..., None],
    policy: Policy | None,
    scratch: Path | None,
    socks: tuple[socket.socket, ...],
) -> NoReturn:
    """Keep `socks` and no other descriptor, enter the sandbox, run `body`, end."""
    code = 1
    try:
        null = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(null, standard)
        last = 2
        for number in sorted(sock.fileno() for sock in socks):
            os.closerange(last + 1, number)
            last = number
        os.closerange(last + 1, os.sysconf("SC_OPEN_MAX"))
        try:
            if policy:
                assert scratch
                layers.enter(policy, scratch)
        except SandboxError as error:
            socks[0].sendall(FAILED)
            write_block(socks[0], str(error).encode())
        else:
            socks[0].sendall(READY)
            body(*socks)
            code = 0
    finally:
        os._exit(code)  # whatever was raised: never back into the parent's loop


def wait_until_sandboxed(sock: socket.socket) -> None:
    """Wait until a fork is inside its sandbox; `SandboxError` if it cannot enter."""
    if _read(sock, 1) != READY:
        raise SandboxError(read_block(sock).decode())


def write_block(sock: socket.socket, data: bytes, *descriptors: int) -> None:
    """Write a length and as many bytes; open descriptors travel with the length."""
    if descriptors:
        socket.send_fds(sock, [_LENGTH.pack(len(data))], descriptors)
        sock.sendall(data)
    else:  # also from inside a sandbox, which can send no descriptors
        sock.sendall(_LENGTH.pack(len(data)) + data)


def read_block(sock: socket.socket) -> bytes:
    """Read what `write_block` wrote; `EOFError` if the other side ends before that."""
    (size,) = _LENGTH.unpack(_read(sock, _LENGTH.size))
    return _read(sock, size)


def send(sock: socket.socket, message: Json, *descriptors: int) -> None:
    """Send one control message, with open descriptors."""
    write_block(sock, json.encode(message), *descriptors)


def receive(sock: socket.socket) -> tuple[Json, list[int]]:
    """Receive one control message and its descriptors; `EOFError` at the end."""
    head, descriptors, _, _ = socket.recv_fds(sock, _LENGTH.size, 1)
    if not head:
        raise EOFError("the other side has gone")
    head += _read(sock, _LENGTH.size - len(head))
    (size,) = _LENGTH.unpack(head)
    text = _read(sock, size)
    return json.decode(text), descriptors


def _read(sock: socket.socket, size: int) -> bytes:
    data = bytearray(size)
    received = 0
    while received < size:
        count = sock.recv_into(memoryview(data)[received:])
        if count == 0:
            raise EOFError("the other side has gone")
        received += count
    return bytes(data)
