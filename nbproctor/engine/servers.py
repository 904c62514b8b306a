"""Warm fork servers, which run the submissions of one assignment."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from threading import Lock

from nbproctor.errors import NbproctorError
from nbproctor.judge.compiled import Tests
from nbproctor.markers import imports
from nbproctor.notebook import MasterNotebook
from nbproctor.protocol.table import libraries_used
from nbproctor.results import Limits
from nbproctor.sandbox.forkserver import ForkServer, ForkServerError
from nbproctor.sandbox.layers import SandboxError
from nbproctor.sandbox.policy import Policy

log = logging.getLogger(__name__)

_PRELOADED = ("nbproctor.judge.run", "nbproctor.student.process")
# Before Python 3.11.8 and 3.12.2, two threads that parse at once may get a SystemError
# (github.com/python/cpython/issues/106905).
_compiling = Lock()


class EngineError(NbproctorError):
    """Nothing can be executed on this computer; the message says why."""


class ExecutionError(NbproctorError):
    """One submission cannot be executed, though others can; the message says why."""


class StoppedError(ExecutionError):
    """The run was stopped, so nothing more is executed."""


@dataclass(frozen=True)
class Settings:
    """How submissions of one assignment are executed.

    `limits` are times and output, `policy` what student processes may use and read,
    with the assignment's own files in ``policy.files``. With `follow_through`, a failed
    exercise is graded again with correct functions from earlier exercises. With
    `stderr_fails_tests`, any text on stderr costs a test cell its points.
    """

    limits: Limits = field(default_factory=Limits)
    policy: Policy = field(default_factory=Policy)
    follow_through: bool = True
    stderr_fails_tests: bool = False

    def own_files(self) -> Iterator[tuple[Path, Path]]:
        """Yield target and path of the assignment's own files, also in its folders."""
        for target, source in self.policy.files:
            root = Path(source)
            for path in (root, *root.rglob("*")):
                if path.is_file():
                    yield Path(target, path.relative_to(root)), path

    def digest(self) -> str:
        """Return the SHA-256 of what a verdict depends on besides the cells.

        These are the limits and the assignment's own files: the content of single
        files, the name and size of files in folders.
        """
        policy = replace(
            self.policy,
            files=(),
            weak=False,
        )
        settings = replace(self, policy=policy)
        total = hashlib.sha256(repr(settings).encode())
        single_files = {Path(path) for _, path in self.policy.files}
        for target, path in sorted(self.own_files()):
            entry = str(target), path.stat().st_size
            total.update(repr(entry).encode())
            if path in single_files:
                total.update(path.read_bytes())
        return total.hexdigest()


# Modules, the cells that are run first, and all code that students get.
_Preload = tuple[Policy, Sequence[str], Sequence[str], Sequence[str]]


class Servers(AbstractContextManager["Servers"]):
    """Fork servers for one caller at a time each; they stay warm for the next caller.

    `close` ends them all; executions that are still running then fail.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._all: dict[ForkServer, _Preload | None] = {}  # None: never again
        self._idle: list[ForkServer] = []
        self._closed = False

    @contextmanager
    def acquire(
        self, master: MasterNotebook, settings: Settings
    ) -> Iterator[ForkServer]:
        """Yield a fork server that is warm for an assignment; start one if necessary.

        After an exception, this fork server is ended. `EngineError`: none can be
        started here; `StoppedError`: the run was stopped.
        """
        # Only these are in a fork server, so its earlier submissions do not matter.
        preload = (
            settings.policy,
            preloaded_modules(master),
            master.opening_cells,
            [cell.stub for cell in master.of_kind("provided", "solution", "test")],
        )
        server = self._take_idle(preload)
        if not server:
            server = _start(preload, master.notebook)
            self._add(server, preload)
        try:
            yield server
        except BaseException:
            self._end(server)
            raise
        with self._lock:
            self._idle.append(server)

    def retire(self) -> None:
        """Retire all fork servers: end the idle ones, and reuse none of the others."""
        with self._lock:
            self._all = dict.fromkeys(self._all)
            idle = self._idle
            self._idle = []
        for server in idle:
            self._end(server)

    def close(self) -> None:
        """End all fork servers for good."""
        with self._lock:
            self._closed = True
            ended = [*self._all]
        for server in ended:
            self._end(server)

    def _take_idle(self, preload: _Preload) -> ForkServer | None:
        """Return an idle fork server, but end one that is gone or warm for another."""
        with self._lock:
            if self._closed:
                raise StoppedError("The run was stopped.")
            server = self._idle.pop() if self._idle else None
        if not server:
            return None
        if self._all.get(server) == preload and not server.is_gone:
            return server
        self._end(server)
        return None

    def _add(self, server: ForkServer, preload: _Preload) -> None:
        with self._lock:
            if not self._closed:
                self._all[server] = preload
                return
        server.close()
        raise StoppedError("The run was stopped.")

    def _end(self, server: ForkServer) -> None:
        with self._lock:
            self._all.pop(server, None)
        server.close()

    def __exit__(self, *_: object) -> None:
        self.close()


@lru_cache(maxsize=8)  # the same for a whole class
def compile_tests(master: MasterNotebook) -> bytes:
    """Compile the test cells of an assignment, for `Job.tests`."""
    with _compiling:
        return Tests.from_cells(master.cells).to_bytes()


@lru_cache(maxsize=8)
def preloaded_modules(master: MasterNotebook) -> tuple[str, ...]:
    """Return the modules that are imported before any fork.

    Of the modules that only solutions and tests import, these are the libraries whose
    values the protocol can send.
    """
    cells = master.of_kind("provided", "solution", "helper", "test")
    with _compiling:
        imported = [name for cell in cells for name in imports(cell.source)]
    return tuple(dict.fromkeys((*master.modules, *libraries_used(imported))))


def _start(preload: _Preload, notebook: str) -> ForkServer:
    """Start a fork server; preload less if a module or a cell starts a thread."""
    policy, modules, opening, stubs = preload
    everything = (modules, opening)
    only_modules = (modules, ())
    nothing = ((), ())
    for imported, rehearsed in (everything, only_modules, nothing):
        try:
            server = ForkServer.start(
                policy,
                [
                    *_PRELOADED,
                    ("nbproctor.student.shell:import_modules", imported),
                    ("nbproctor.student.shell:run_opening_cells", rehearsed),
                    ("nbproctor.student.shell:prepare_cells", stubs),
                    ("nbproctor.protocol.objects:list_library_classes",),
                    ("nbproctor.protocol.table:load_rows",),
                ],
                student_main="nbproctor.student.process:main",
                judge_main="nbproctor.judge.run:main",
            )
        except (ForkServerError, SandboxError, OSError) as error:
            reason = error
        else:
            log.info(
                "Fork server %d started for %s, sandbox level %s.",
                server.pid,
                notebook,
                server.level,
            )
            return server
    raise EngineError(str(reason)) from reason
