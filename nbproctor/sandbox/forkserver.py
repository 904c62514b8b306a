"""Fork server: start it, run jobs in it, close it.

There are three kinds of child processes::

    parent (pool worker) ── starts ──> server ── forks ──> judge     one for each job
                                              └─ forks ──> students  as the judge asks

Code to run is named by its import path (``"package.module:function"``), because it is
imported in the fork server's process (see `server`). Before `ForkServer.run` returns,
everything that the job started has ended, whichever process died first.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nbproctor.errors import NbproctorError
from nbproctor.sandbox import bubblewrap
from nbproctor.sandbox.fork import (
    BUBBLEWRAP_FOLDER,
    READY,
    Json,
    read_block,
    receive,
    send,
    wait_until_sandboxed,
    write_block,
)
from nbproctor.sandbox.policy import PACKAGE, Policy, free_uid, site_packages
from nbproctor.sandbox.processors import Processor

# A judge is trusted, but gets no right that it does not need: it has the student's
# policy, with higher limits.
JUDGE_MEMORY = 4 << 30
JUDGE_CPU_SECONDS = 3600
# One BLAS thread, set before NumPy is imported: forking is safe with one thread only.
# Several submissions run at the same time instead.
THREAD_VARIABLES = [
    f"{library}_NUM_THREADS"
    for library in ("BLIS", "MKL", "NUMEXPR", "OMP", "OPENBLAS", "VECLIB_MAXIMUM")
]


class ForkServerError(NbproctorError, RuntimeError):
    """A fork server did not start, or has died; start another one."""


class JudgeError(NbproctorError, RuntimeError):
    """A job has no result: its judge raised or died; the fork server goes on."""


class JudgeTimeoutError(JudgeError):
    """A job took longer than its time limit."""


@dataclass(eq=False)
class ForkServer(AbstractContextManager["ForkServer"]):
    """A running fork server; one job at a time, from one thread at a time."""

    _process: PythonProcess
    _base: Path
    processor: Processor  # on which this server and all its forks run
    level: str  # ``full`` (inside bubblewrap), ``standard`` or ``weak``

    @classmethod
    def start(
        cls,
        policy: Policy,
        preload: Sequence[str | tuple[Any, ...]],
        student_main: str,
        judge_main: str,
    ) -> ForkServer:
        """Start a fork server and wait until it is warm.

        It imports the modules in `preload`, and calls the functions in it (each is
        ``"module:function"`` with its arguments), in a folder that contains the
        policy's files. ``student_main(sock)`` and ``judge_main(job, spawn) -> bytes``
        are also given by name; ``spawn()`` returns a `server.Child`.
        `ForkServerError`: a module cannot be imported, or a mandatory layer is missing.
        """
        in_bubblewrap = sys.platform == "linux" and not bubblewrap.failure()
        if in_bubblewrap:
            level = "full"
            base = BUBBLEWRAP_FOLDER  # the fork server has a /tmp of its own
        else:
            level = "standard"
            base = Path(tempfile.mkdtemp(prefix="nbproctor-"))
        if policy.weak:
            level = "weak"
        cache = cache_folder(base)
        policy = replace(policy, readable=(*policy.readable, str(cache)))
        policy = replace(policy, uid=free_uid(policy, in_bubblewrap))
        judge = replace(
            policy,
            memory=JUDGE_MEMORY,
            cpu_seconds=JUDGE_CPU_SECONDS,
            network=False,
        )

        def command(descriptor: int) -> list[str]:
            argv = python_command("nbproctor.sandbox.server", descriptor)
            if not in_bubblewrap:
                return argv
            return bubblewrap.command(argv, policy, [cache])

        process = PythonProcess(
            command,
            environment(policy, base),
            cwd="/",
            # Only the parent handles Ctrl-C in the terminal.
            start_new_session=True,
        )
        processor = Processor()
        server = cls(
            _process=process,
            _base=base,
            processor=processor,
            level=level,
        )
        try:
            server._request(
                {
                    "base": str(base),
                    "processor": processor.number,
                    "preload": preload,
                    "student_main": student_main,
                    "judge_main": judge_main,
                    "policy": policy,
                    "judge_policy": judge,
                }
            )
        except BaseException:
            server.close()
            raise
        return server

    @property
    def pid(self) -> int:
        """Process id of bubblewrap, or of the fork server if it runs without it."""
        return self._process.pid

    @property
    def is_gone(self) -> bool:
        """Whether it has ended."""
        return self._process.poll() is not None

    def run(self, job: bytes, timeout: float) -> bytes:
        """Run one job in a judge of its own, and return the judge's answer.

        `JudgeTimeoutError`: there was no answer within `timeout` seconds, so everything
        that belongs to this job was killed. `JudgeError`: the judge died, or raised an
        exception (the message contains the traceback). `SandboxError`: the judge could
        not enter its sandbox. `ForkServerError`: the fork server has died.
        """
        parent_end, judge_end = socket.socketpair()
        with parent_end:
            with judge_end:
                judge = self._request({"run": 1}, judge_end.fileno())["pid"]
            try:
                parent_end.settimeout(timeout)
                wait_until_sandboxed(parent_end)
                write_block(parent_end, job)
                answer = read_block(parent_end)
            except TimeoutError:
                raise JudgeTimeoutError(
                    f"no result within {timeout:g} seconds"
                ) from None
            except (EOFError, ConnectionError):
                answer = b""
            finally:
                status = self._request({"end": judge})["status"]
        if not answer:
            raise JudgeError(
                f"the judge died before it had a result{_describe_status(status)}"
            )
        content = answer[1:]
        if answer[:1] != READY:
            raise JudgeError(f"the judge raised:\n{content.decode()}")
        return content

    def close(self) -> None:
        """End the fork server and everything that it started."""
        self._process.end(timeout=10)
        self.processor.close()
        # The server does this if its parent dies, and the parent if the server died.
        if self._base != BUBBLEWRAP_FOLDER:
            shutil.rmtree(self._base, ignore_errors=True)

    def __exit__(self, *_: object) -> None:
        self.close()

    def _request(self, message: Json, *descriptors: int) -> Json:
        try:
            send(self._process.sock, message, *descriptors)
            answer, _ = receive(self._process.sock)
        except (EOFError, OSError) as error:
            printed = self._process.output_tail(2000)
            raise ForkServerError(
                f"the fork server has died ({error}): {printed}"
            ) from error
        if "error" in answer:
            raise ForkServerError(f"the fork server cannot work: {answer['error']}")
        return answer


def _describe_status(status: int | None) -> str:
    if status is None:
        return ""
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        return f" ({signal.Signals(-code).name})"
    return f" (exit status {code})"


class PythonProcess(subprocess.Popen[bytes]):
    """A Python process with a socket pair: `sock` is the end of the parent."""

    def __init__(
        self,
        command: Callable[[int], list[str]],
        variables: Mapping[str, str],
        **options: Any,
    ) -> None:
        """Start the process.

        `command` gets the descriptor of the process's end of the pair. `variables` are
        its whole environment, and `options` are passed to `subprocess.Popen`.
        """
        self.sock, other = socket.socketpair()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `end`)
        with other:
            super().__init__(
                command(other.fileno()),
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                env=variables,
                pass_fds=[other.fileno()],
                **options,
            )

    def output_tail(self, most: int) -> str:
        """Return the last `most` bytes of what the process printed."""
        if self._log.closed:  # by `end`, from another thread
            return ""
        self._log.seek(0)
        tail = self._log.read()[-most:]
        return tail.decode(errors="replace").strip()

    def end(self, timeout: float) -> None:
        """Close the socket; kill the process if it has not ended after `timeout` s."""
        self.sock.close()
        try:
            self.wait(timeout=timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            self.wait()
        self._log.close()


def python_command(module: str, descriptor: int) -> list[str]:
    """Return the command that runs ``main(descriptor)`` of a module of this package."""
    program = PACKAGE / "sandbox/start.py"
    return [
        sys.executable,
        "-s",
        "-P",
        str(program),
        module,
        str(descriptor),
        *site_packages(),
        str(PACKAGE.parent),
    ]


def cache_folder(base: Path) -> Path:
    """Return the folder of matplotlib's font list, which takes seconds to make."""
    caches = Path.home() / ".cache" / os.environ.get("XDG_CACHE_HOME", "")
    folder = caches / "nbproctor/matplotlib"  # always an absolute path
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return base / "matplotlib"
    return folder


def environment(policy: Policy, base: Path) -> dict[str, str]:
    """Return environment variables, none of which (such as a secret) is the parent's.

    Every process that runs code of a notebook has them, in grading and in an audit: a
    mark must not depend on the variables of the computer that grades.
    """
    return dict(policy.environment) | {
        "HOME": str(base),
        "IPYTHONDIR": str(base / "ipython"),
        # If pyarrow is installed, pandas imports it. Its allocator starts a thread, and
        # a process with two threads must not fork.
        "JE_ARROW_MALLOC_CONF": "background_thread:false",
        # Processes are forbidden, so scikit-learn uses only one, as with n_jobs=1.
        "JOBLIB_MULTIPROCESSING": "0",
        "LANG": "C.UTF-8",
        # Each arena reserves 64 MiB of address space, which is limited.
        "MALLOC_ARENA_MAX": "2",
        # To return memory to the system and to get it again takes longer than to use
        # it. A Jupyter kernel that has freed a large array keeps as much.
        "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
        "MALLOC_TRIM_THRESHOLD_": str(64 << 20),
        "MPLCONFIGDIR": str(cache_folder(base)),
        "NBGRADER_EXECUTION": "autograde",  # nbgrader sets it for cells that need it
        "PATH": "/usr/bin:/bin",
        "PYTHONDONTWRITEBYTECODE": "1",
        # A submission always prints its sets in the same order, and its assertions run.
        "PYTHONHASHSEED": "0",
        "PYTHONOPTIMIZE": "",
        "TMPDIR": str(base),
        **dict.fromkeys(THREAD_VARIABLES, "1"),
    }
