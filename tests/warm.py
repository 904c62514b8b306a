"""Fork servers that outlive the run that started them, for tests that grade much."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from nbproctor.sandbox.forkserver import ForkServer

MOST = 3  # that wait for the next run


@contextlib.contextmanager
def lasting_fork_servers() -> Iterator[None]:
    """Let a run take a fork server that one before it, of the same kind, has left.

    As one run's submissions share it. One that failed, or still works, is ended, and so
    is one that has files of an assignment, which a test may change.
    """
    start = ForkServer.start
    run = ForkServer.run
    close = ForkServer.close
    idle: list[tuple[str, ForkServer]] = []
    sound: dict[ForkServer, str] = {}  # → what it was started for
    lock = threading.Lock()

    def take(policy: Any, preload: Any, **options: Any) -> ForkServer:
        kind = repr((policy, preload, options))
        with lock:
            pair = next((pair for pair in idle if pair[0] == kind), None)
            if pair:
                idle.remove(pair)
        server = pair[1] if pair else start(policy, preload, **options)
        if not policy.files:
            sound[server] = kind
        return server

    def watched(self: ForkServer, job: bytes, timeout: float) -> bytes:
        kind = sound.pop(self, None)
        answer = run(self, job, timeout)
        if kind is not None:
            sound[self] = kind
        return answer

    def leave(self: ForkServer) -> None:
        kind = sound.pop(self, None)
        ended = self
        with lock:
            if kind is not None:
                idle.append((kind, self))
                if len(idle) <= MOST:
                    return
                _, ended = idle.pop(0)
        close(ended)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ForkServer, "start", take)
        patch.setattr(ForkServer, "run", watched)
        patch.setattr(ForkServer, "close", leave)
        yield
    for _, server in idle:
        close(server)


@pytest.fixture(scope="package", autouse=True)
def warm_processes() -> Iterator[None]:
    """Processes for all files of a room, as long as no other room's test comes.

    The room's folder needs an ``__init__.py``. Without one, pytest keeps this for the
    whole session, and tests of other rooms get processes that were used before.
    """
    with lasting_fork_servers():
        yield
