"""Submissions executed: one by a fork server, many by a pool of this computer."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

from msgspec import msgpack

from nbproctor.engine.servers import (
    EngineError,
    ExecutionError,
    Servers,
    Settings,
    compile_tests,
    preloaded_modules,
)
from nbproctor.notebook import MasterNotebook
from nbproctor.results import Job, Report, StudentCell
from nbproctor.sandbox.forkserver import ForkServerError, JudgeError, JudgeTimeoutError
from nbproctor.sandbox.layers import SandboxError
from nbproctor.sandbox.processors import count_processors

log = logging.getLogger(__name__)

# Besides a submission's own time: starting processes, sending the notebook.
GRACE_SECONDS = 15.0
MAX_FILES_BYTES = 16 << 20


@dataclass(frozen=True)
class Execution:
    """What one execution depends on: a submission, and how it is graded.

    `cells` are the code cells of the notebook, in order; `files` (relative path →
    content) what else the student submitted, there when the first cell runs.
    """

    cells: Sequence[StudentCell]
    master: MasterNotebook
    settings: Settings
    files: Mapping[str, bytes] = field(default_factory=dict)


def execute(execution: Execution, servers: Servers) -> Report:
    """Grade one submission; the report depends on `execution` alone.

    It runs in one of the fork servers. `ExecutionError`: no result even at the second
    try, or not in time; `StoppedError`: the run was stopped; `EngineError`: no fork
    server can be started here.
    """
    master = execution.master
    settings = execution.settings
    size = sum(map(len, execution.files.values()))
    if size > MAX_FILES_BYTES:
        raise ExecutionError(
            "The files that came with the notebook are larger than "
            f"{MAX_FILES_BYTES >> 20} MB."
        )
    job = Job(
        tests=compile_tests(master),
        cells=master.cells,
        student=execution.cells,
        files={os.fsencode(name): data for name, data in execution.files.items()},
        limits=settings.limits,
        # With a network, an answer could send out what correct functions return.
        follow_through=settings.follow_through and not settings.policy.network,
        stderr_fails_tests=settings.stderr_fails_tests,
    )
    data = msgpack.encode(job)
    # Both tries together: a submission that breaks its judge gets no second limit.
    limit = settings.limits.submission
    until = time.monotonic() + limit + GRACE_SECONDS
    # A student reads the message. It contains nothing that a submission can choose,
    # such as the remaining time, or the memory of a judge that failed.
    for attempt in (1, 2):
        try:
            with servers.acquire(master, settings) as server:
                seconds = max(round(until - time.monotonic()), 1)
                return msgpack.decode(server.run(data, seconds), type=Report)
        except JudgeTimeoutError as error:
            raise ExecutionError(
                f"Its execution was stopped: no result within {limit:g} seconds."
            ) from error
        except (JudgeError, ForkServerError) as error:
            log.warning("An execution failed (try %d): %s", attempt, error)
        except SandboxError as error:
            raise EngineError(str(error)) from error
    raise ExecutionError("Its execution failed twice. The grading log says why.")


class Executor(Protocol):
    """Executes `concurrency` submissions at once."""

    @property
    def concurrency(self) -> int: ...  # noqa: D102 (see Attributes)

    def prepare(
        self, master: MasterNotebook, settings: Settings, expected: int = 0
    ) -> None:
        """Get ready for an assignment of which so many executions are `expected`.

        `EngineError`: something is missing.
        """

    def execute(self, execution: Execution) -> Future[Report]:
        """Grade one submission: see `engine.execute`."""


class Pool(ThreadPoolExecutor):
    """An executor on this computer, with fork servers of its own.

    Its workers are threads, by default one for each processor. They only wait for a
    fork server, which is a process.
    """

    def __init__(self, workers: int = 0) -> None:
        self.concurrency = workers or count_processors()
        super().__init__(self.concurrency, "nbproctor")
        self._servers = Servers()
        self._files = ""  # digest of the files that fork servers have read

    def prepare(
        self, master: MasterNotebook, settings: Settings, expected: int = 0
    ) -> None:
        """End the fork servers that have read other contents of the files.

        Each worker starts its own at its first execution. If all of them will have one,
        they start now, while this thread compiles the tests.
        """
        files = Settings(policy=settings.policy).digest()
        if files != self._files:
            self._servers.retire()
        self._files = files
        preloaded_modules(master)  # cached, as only one thread at a time compiles
        if expected >= self.concurrency:
            for _ in range(self.concurrency):
                self.submit(self._start_server, master, settings)
        compile_tests(master)

    def _start_server(self, master: MasterNotebook, settings: Settings) -> None:
        """Start a fork server; the first execution says why there can be none."""
        with self._servers.acquire(master, settings):
            pass

    def execute(self, execution: Execution) -> Future[Report]:
        """Grade one submission in a worker: see `engine.execute`."""
        return self.submit(execute, execution, self._servers)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End all workers and their fork servers."""
        super().shutdown(wait=False, cancel_futures=cancel_futures)
        if cancel_futures:
            self._servers.close()  # running executions fail: nobody waits for them
        super().shutdown(wait=wait)
        self._servers.close()

    def __exit__(self, *error: object) -> None:
        # After an exception (Ctrl-C is one) nobody waits for results.
        self.shutdown(wait=True, cancel_futures=error[0] is not None)
