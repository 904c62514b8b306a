"""Forks of this process that enter the sandbox, and messages between these processes.

A message is a length and a block of bytes, or a small JSON object that can carry an
open descriptor. Messages go over local socket pairs. Parent, fork server and judges
trust each other. Nothing that a student wrote is sent in this way: it goes through
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

# The folders of forks inside bubblewrap, where everything else is read-only.
BUBBLEWRAP_FOLDER = Path("/tmp/nbproctor")
READY = b"\1"
FAILED = b"\0"
_LENGTH = struct.Struct("!Q")


@dataclass
class Fork:
    """A fork of this process, seen from the parent."""

    pid: int  # 0 after it was collected
    sock: socket.socket  # the parent's end of a pair; the fork has the other end
    scratch: Path  # a folder, which `close` removes

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
        if self.scratch.exists():
            shutil.rmtree(self.scratch)


def processor_seconds(pid: int) -> float:
    """Return the processor time, in seconds, of a process that was not collected."""
    if sys.platform != "linux":
        return 0.0
    clock = ~pid << 3 | 2  # Linux numbers these clocks so
    return time.clock_gettime(clock)


def require_one_thread() -> None:
    """Raise `RuntimeError` if this process has threads.

    A fork has only one thread, but a copy of the locks that all threads held.
    """
    names = [thread.name for thread in threading.enumerate()]
    count = len(names)
    tasks = Path("/proc/self/task")
    if tasks.exists():
        count = len(list(tasks.iterdir()))
    if count != 1:
        raise RuntimeError(
            f"the fork server has {count} threads, so it must not fork (Python knows "
            f"{names}): a preloaded module starts threads"
        )


def fork(
    body: Callable[..., None],
    policy: Policy,
    scratch: Path,
    *descriptors: socket.socket,
) -> Fork:
    """Fork a process that enters the sandbox and runs `body`.

    `body` gets the sockets in `descriptors`, and its own end of a new socket pair.
    Every other descriptor is closed. The process first reports at the first of these
    sockets whether it has entered the sandbox (see `wait_until_sandboxed`). It ends
    when `body` ends. `scratch` is an empty folder. `OSError`: the kernel refuses
    another process or socket.
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
    policy: Policy,
    scratch: Path,
    socks: tuple[socket.socket, ...],
) -> NoReturn:
    """Close all descriptors but `socks`, enter the sandbox, run `body`, and end."""
    code = 1
    try:
        null = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(null, standard)
        first = 3
        for number in sorted(map(socket.socket.fileno, socks)):
            os.closerange(first, number)
            first = number + 1
        os.closerange(first, os.sysconf("SC_OPEN_MAX"))
        try:
            layers.enter(policy, scratch)
        except SandboxError as error:
            socks[0].sendall(FAILED)
            write_block(socks[0], str(error).encode())
        else:
            socks[0].sendall(READY)
            body(*socks)
            code = 0
    finally:
        os._exit(code)  # after any exception, too: never return to the parent's loop


def wait_until_sandboxed(sock: socket.socket) -> None:
    """Wait until a fork is in its sandbox; raise `SandboxError` if it cannot enter."""
    if _read(sock, 1) != READY:
        raise SandboxError(read_block(sock).decode())


def write_block(sock: socket.socket, data: bytes, *descriptors: int) -> None:
    """Write a length and as many bytes; open descriptors are sent with the length."""
    block = _LENGTH.pack(len(data)) + data
    if descriptors:  # a process in a sandbox cannot send any
        sent = socket.send_fds(sock, [block], descriptors)
        block = block[sent:]
    sock.sendall(block)


def read_block(sock: socket.socket) -> bytes:
    """Read a block; raise `EOFError` if the other side ends before it is complete."""
    (size,) = _LENGTH.unpack(_read(sock, _LENGTH.size))
    return _read(sock, size)


def send(sock: socket.socket, message: Json, *descriptors: int) -> None:
    """Send one control message, with open descriptors."""
    write_block(sock, json.encode(message), *descriptors)


def receive(sock: socket.socket) -> tuple[Json, list[int]]:
    """Receive one control message and its descriptors.

    `EOFError`: the other side has ended.
    """
    head, descriptors, _, _ = socket.recv_fds(sock, _LENGTH.size, 1)
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
