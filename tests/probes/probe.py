"""What forks run in tests of the fork server: code as text in, its answer as text."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Callable
from typing import Any

LIMIT = 1 << 16


def student(sock: socket.socket) -> None:
    """Answer each piece of code with what it leaves in `answer`, or its error."""
    names: dict[str, Any] = {"sock": sock}
    while code := sock.recv(LIMIT):
        try:
            exec(code.decode(), names)
            text = repr(names.get("answer"))
        except BaseException as error:
            text = f"{type(error).__name__}: {error}"
        sock.sendall(text.encode()[:LIMIT])


def ask(child: Any, code: str) -> str:
    child.sock.sendall(code.encode())
    return child.sock.recv(LIMIT).decode() or "it died"


def judge(job: bytes, spawn: Callable[[], Any]) -> bytes:
    """Run the job's own code with `spawn` and `ask`; its `result` is the answer."""
    names: dict[str, Any] = {
        "spawn": spawn,
        "ask": ask,
        "os": os,
    }
    exec(job.decode(), names)
    return json.dumps(names["result"]).encode()


def start_threads(counts: list[int]) -> None:
    for _ in range(sum(counts)):
        threading.Thread(target=threading.Event().wait, daemon=True).start()
