"""A fork of the server: keeps its sockets and nothing else, enters the sandbox."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from nbproctor.forkserver.messages import FAILED, READY, write_block
from nbproctor.sandbox import layers
from nbproctor.sandbox.layers import Policy


def require_one_thread() -> None:
    """Forking copies one thread, but the locks of all of them."""
    tasks = Path("/proc/self/task")
    names = [thread.name for thread in threading.enumerate()]
    count = len(list(tasks.iterdir())) if tasks.exists() else len(names)
    if count != 1:
        raise RuntimeError(
            f"the fork server has {count} threads, so it must not fork (Python knows "
            f"{names}): a preloaded module starts threads"
        )


def be(
    body: Callable[..., None],
    policy: Policy,
    scratch: Path,
    socks: tuple[socket.socket, ...],
) -> NoReturn:
    """Be the fork: keep `socks` and nothing else, enter the sandbox, run `body`."""
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
            layers.enter(policy, scratch)
        except layers.SandboxError as error:
            socks[0].sendall(FAILED)
            write_block(socks[0], str(error).encode())
        else:
            socks[0].sendall(READY)
            body(*socks)
            code = 0
    finally:
        os._exit(code)  # whatever was raised: never back into the server's loop
