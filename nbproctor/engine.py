"""One submission graded: its code and the assignment in, a report out.

`execute` is a pure function to its callers, in whatever thread or process an executor
runs it: it keeps a warm fork server for each thread, and gets another when one dies.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from nbproctor.forkserver.client import (
    ForkServer,
    ForkServerError,
    JudgeError,
    JudgeTimeoutError,
)
from nbproctor.judge.compiled import Tests
from nbproctor.notebook import MasterNotebook
from nbproctor.results import FILES, Job, Limits, Report, StudentCell
from nbproctor.sandbox.layers import Policy, SandboxError

__all__ = [
    "EngineError",
    "ExecutionError",
    "Report",
    "Settings",
    "StudentCell",
    "close",
    "execute",
    "prepare",
    "start",
]

# Besides a submission's own time: starting processes, sending the notebook.
GRACE_SECONDS = 15.0
MAX_FILES_BYTES = 16 << 20
_WARM = ("nbproctor.judge.main", "nbproctor.student.process")


class EngineError(Exception):
    """Nothing can be executed on this computer; the message says why."""


class ExecutionError(Exception):
    """One submission cannot be executed, though others can; the message says why."""


@dataclass(frozen=True)
class Settings:
    """How submissions of one assignment are executed.

    Attributes
    ----------
    limits
        Times and output.
    policy
        What student processes may use and read; the assignment's own files are named
        in ``policy.files``.
    follow_through
        Whether an exercise is graded again among correct others.
    """

    limits: Limits = field(default_factory=Limits)
    policy: Policy = field(default_factory=Policy)
    follow_through: bool = True

    def digest(self) -> str:
        """Return the SHA-256 of all that a verdict depends on beside the cells.

        That is the limits, and the assignment's own files: their contents, of a folder
        of data the names and sizes.
        """
        policy = replace(self.policy, files=(), weak=False)
        total = hashlib.sha256(repr(replace(self, policy=policy)).encode())
        for place, path in sorted(self.policy.files):
            inside = sorted(p for p in Path(path).rglob("*") if p.is_file())
            sizes = [f"{p.relative_to(path)} {p.stat().st_size}" for p in inside]
            content = Path(path).read_bytes() if Path(path).is_file() else b""
            total.update(repr((place, sizes)).encode() + content)
        return total.hexdigest()


def execute(
    cells: Sequence[StudentCell],
    master: MasterNotebook,
    settings: Settings,
    files: Mapping[str, bytes],
) -> Report:
    """Grade one submission.

    Parameters
    ----------
    cells
        The code cells of the notebook, in order.
    master
        The assignment.
    settings
        Limits and rights.
    files
        What else the student handed in (relative path → content): it is in the
        working folder when the first cell runs.

    Raises
    ------
    ExecutionError
        No result even at the second try, or not in time.
    EngineError
        No fork server can be started here.
    """
    servers = _servers
    job = Job(
        cells=master.cells,
        student=(*_unpack(files), *cells),
        limits=settings.limits,
        follow_through=settings.follow_through,
    )
    timeout = settings.limits.submission + GRACE_SECONDS
    for last in (False, True):
        server = servers.get(master, settings)
        data = replace(job, tests=server.tests).to_bytes()
        try:
            return Report.from_bytes(server.process.run(data, timeout))
        except JudgeTimeoutError as error:
            raise ExecutionError(f"Its execution was stopped: {error}.") from error
        except (JudgeError, ForkServerError) as error:
            servers.drop()
            if last:
                reason = str(error).strip().splitlines()[-1]
                raise ExecutionError(f"Its execution failed twice: {reason}") from error
        except SandboxError as error:
            raise EngineError(str(error)) from error
    raise AssertionError("unreachable")


def prepare(master: MasterNotebook, settings: Settings) -> None:
    """Start this thread's fork server; `EngineError` tells what is missing."""
    _servers.get(master, settings)


def close() -> None:
    """End every fork server of this process; executions that still run fail."""
    global _servers
    ended, _servers = _servers, _Servers()
    ended.close()


def _unpack(files: Mapping[str, bytes]) -> list[StudentCell]:
    """Return code that writes `files`, as the student's own process must do it.

    Modules among them can be imported, as from a notebook's folder anywhere.
    """
    if sum(map(len, files.values())) > MAX_FILES_BYTES:
        raise ExecutionError(
            f"The files beside the notebook are bigger than {MAX_FILES_BYTES >> 20} MB."
        )
    lines = ["__import__('sys').path.insert(0, '');"]
    for name, content in files.items():
        text = base64.b64encode(content).decode()
        path = f"__import__('pathlib').Path({name!r})"
        lines += [
            f"{path}.parent.mkdir(parents=True, exist_ok=True)",
            f"{path}.write_bytes(__import__('base64').b64decode({text!r}));",
        ]
    return [StudentCell(FILES, None, "\n".join(lines))]


class _Server(NamedTuple):
    key: tuple[str, Settings]
    process: ForkServer
    tests: bytes  # of the assignment, compiled


class _Servers:
    """The fork servers of this process: one a thread, for one assignment at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[int, _Server] = {}
        self._closed = False

    def get(self, master: MasterNotebook, settings: Settings) -> _Server:
        key = master.digest, settings
        thread = threading.get_ident()
        with self._lock:
            if self._closed:
                raise ExecutionError("The run was stopped.")
            known = self._running.get(thread)
        if known and known.key == key:
            return known
        self.drop()
        tests = compiled(master)
        made = _Server(key, start(master, settings), tests)
        with self._lock:
            if not self._closed:
                self._running[thread] = made
                return made
        made.process.close()
        raise ExecutionError("The run was stopped.")

    def drop(self) -> None:
        with self._lock:
            known = self._running.pop(threading.get_ident(), None)
        if known:
            known.process.close()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            ended = list(self._running.values())
            self._running.clear()
        for server in ended:
            server.process.close()


_servers = _Servers()
# Before Python 3.11.8 and 3.12.2, two threads that parse at once may get a SystemError
# (github.com/python/cpython/issues/106905).
_compiling = threading.Lock()


def start(master: MasterNotebook, settings: Settings) -> ForkServer:
    """Start a fork server that is warm for an assignment; the caller closes it."""
    # What is not installed fails in the cell that imports it, as it always did.
    wanted = [name for name in master.modules if _installed(name)]
    try:
        return ForkServer.start(
            settings.policy,
            [*wanted, *_WARM, ("nbproctor.student.shell:rehearse", master.opening)],
            student_main="nbproctor.student.process:main",
            judge_main="nbproctor.judge.main:main",
        )
    except (ForkServerError, SandboxError, OSError) as error:
        raise EngineError(str(error)) from error


def compiled(master: MasterNotebook) -> bytes:
    """Compile the test cells of an assignment, for `Job.tests`."""
    with _compiling:
        return Tests.of(master.cells).to_bytes()


def _installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False
