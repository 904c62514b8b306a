"""Processes that outlive the run that started them, for tests that grade much."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from nbproctor.sandbox import workers
from nbproctor.sandbox.forkserver import ForkServer

MOST = 3  # of each, that wait for the next run


class Idle:
    """Processes that wait, by what they were started for."""

    def __init__(self) -> None:
        self._all: list[tuple[object, Any]] = []
        self._lock = threading.Lock()

    def take(self, kind: object) -> Any:
        """Take one of a kind, or None."""
        with self._lock:
            match = next((pair for pair in self._all if pair[0] == kind), None)
            if match:
                self._all.remove(match)
        return match[1] if match else None

    def put(self, kind: object, process: Any) -> list[Any]:
        """Keep one; return those that are too many."""
        with self._lock:
            self._all.append((kind, process))
        return self.drop(MOST)

    def drop(self, most: int = 0) -> list[Any]:
        """Keep so many; return the others."""
        with self._lock:
            old = self._all[: max(0, len(self._all) - most)]
            del self._all[: len(old)]
        return [process for _, process in old]


@contextlib.contextmanager
def lasting_fork_servers() -> Iterator[None]:
    """Let a run take a fork server that one before it, of the same kind, has left.

    As one run's submissions share it. One that failed, or still works, is ended, and so
    is one that has files of an assignment, which a test may change.
    """
    start = ForkServer.start
    run = ForkServer.run
    close = ForkServer.close
    idle = Idle()
    sound = dict[ForkServer, str]()

    def take(policy: Any, preload: Any, **options: Any) -> ForkServer:
        kind = repr((policy, preload, options))
        server = idle.take(kind) or start(policy, preload, **options)
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
        for server in idle.put(kind, self) if kind is not None else [self]:
            close(server)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ForkServer, "start", take)
        patch.setattr(ForkServer, "run", watched)
        patch.setattr(ForkServer, "close", leave)
        yield
    for server in idle.drop():
        close(server)


@contextlib.contextmanager
def lasting_workers() -> Iterator[None]:
    """Let a run take a reader, or what makes pages, that one before it has left."""
    start = workers._Worker
    leave = workers.Workers.__exit__
    idle = Idle()

    def take(*arguments: Any) -> Any:
        worker = idle.take(arguments)
        return start(*arguments) if worker is None or worker.is_gone else worker

    def leave_later(self: workers.Workers[Any], *error: object) -> None:
        with contextlib.suppress(queue.Empty):
            while worker := self._idle.get_nowait():
                if not (worker.is_worn or worker.is_gone):
                    self._all.discard(worker)
                    for old in idle.put((self._module, *self._setup_messages), worker):
                        old.end()
        leave(self, *error)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workers, "_Worker", take)
        patch.setattr(workers.Workers, "__exit__", leave_later)
        yield
    for worker in idle.drop():
        worker.end()
