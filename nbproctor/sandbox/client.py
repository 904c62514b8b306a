"""Fork server, seen from its parent: start it, run jobs in it, close it.

Three kinds of process, one line of descent::

    parent (pool worker) ── starts ──> server ── forks ──> judge     one for each job
                                              └─ forks ──> students  as the judge asks

Code to run is named by import path (``"package.module:function"``), because it is
imported in the fork server's process (see `server`).  Whatever a job started is gone
before `ForkServer.run` returns, whoever died first.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from nbproctor.errors import NbproctorError
from nbproctor.sandbox import bubblewrap, host, layers, users
from nbproctor.sandbox.layers import Policy
from nbproctor.sandbox.messages import (
    READY,
    Child,
    Json,
    confirm,
    read_block,
    receive,
    send,
    write_block,
)
from nbproctor.sandbox.processor import Processor

__all__ = ["Child", "ForkServer", "ForkServerError", "JudgeError", "JudgeTimeoutError"]

# A judge is trusted, but no more than it needs: the student's policy, with more room.
JUDGE_MEMORY = 4 << 30
JUDGE_CPU_SECONDS = 3600
# Where forks have their folders inside bubblewrap.
INSIDE = Path("/tmp/nbproctor")


class ForkServerError(NbproctorError, RuntimeError):
    """A fork server did not start or has died; start another."""


class JudgeError(NbproctorError, RuntimeError):
    """A job has no result: its judge raised or died; the fork server works on."""


class JudgeTimeoutError(JudgeError):
    """A job took longer than it was given."""


class ForkServer:
    """A running fork server; one job at a time, from one thread at a time.

    Attributes
    ----------
    level : str
        ``"full"`` (inside bubblewrap), ``"standard"`` or ``"weak"``.
    processor : Processor
        The processor on which it and all its forks run.
    policy : Policy
        Policy of the students as it is in force, with the user id that root takes.
    """

    def __init__(
        self,
        process: host.PythonProcess,
        base: Path,
        processor: Processor,
        policy: Policy,
        level: str,
    ) -> None:
        self._process = process
        self._base = base
        self.processor = processor
        self.policy = policy
        self.level = level

    @classmethod
    def start(
        cls,
        policy: Policy,
        preload: Sequence[str | tuple[str, Sequence[str]]],
        student_main: str,
        judge_main: str,
        path: Sequence[str] = (),
    ) -> ForkServer:
        """Start a fork server and wait until it is warm.

        Parameters
        ----------
        policy : Policy
            What a student process may use.  Under root its `uid` is chosen here.
        preload : sequence
            Modules to import, and functions (``"module:function"``, argument) to call,
            in order, in a folder that holds the policy's files.
        student_main, judge_main : str
            ``"module:function"``: ``student_main(sock)`` and
            ``judge_main(job, spawn) -> bytes``, where ``spawn()`` returns a `Child`.
        path : sequence of str
            Folders to import from besides the installed packages.

        Raises
        ------
        ForkServerError
            A module does not import, or a mandatory layer is missing.
        """
        outer = sys.platform == "linux" and bubblewrap.failure() is None
        # Inside bubblewrap it lies in a /tmp of the fork server's own.
        base = INSIDE if outer else Path(tempfile.mkdtemp(prefix="nbproctor-"))
        cache = host.cache_folder(base)
        readable = (*policy.readable, *path, str(cache))
        policy = replace(policy, readable=readable)
        policy = replace(policy, uid=users.free_uid(policy, outer))
        judge = replace(policy, memory=JUDGE_MEMORY, cpu_seconds=JUDGE_CPU_SECONDS)

        def command(descriptor: int) -> list[str]:
            argv = host.command("nbproctor.sandbox.server", descriptor, path)
            if not outer:
                return argv
            writable = [str(cache)] if cache.exists() else []
            return bubblewrap.command(argv, layers.visible(policy), writable)

        process = host.PythonProcess(
            command,
            host.environment(base, cache),
            cwd="/",
            # Ctrl-C in the terminal is the parent's to answer.
            start_new_session=True,
        )
        level = "weak" if policy.weak else "full" if outer else "standard"
        processor = Processor()
        server = cls(process, base, processor, policy, level)
        try:
            server._request(
                {
                    "base": str(base),
                    "processor": processor.number,
                    "preload": list(preload),
                    "student_main": student_main,
                    "judge_main": judge_main,
                    "policy": msgspec.to_builtins(policy),
                    "judge_policy": msgspec.to_builtins(judge),
                }
            )
        except BaseException:
            server.close()
            raise
        return server

    @property
    def pid(self) -> int:
        """Process id of what was started: bubblewrap, or the fork server itself."""
        return self._process.pid

    def run(self, job: bytes, timeout: float) -> bytes:
        """Run one job in a judge of its own and return the judge's answer.

        Parameters
        ----------
        job : bytes
            Anything; only the judge reads it.
        timeout : float
            Seconds to wait for the answer; then everything of this job is killed.

        Raises
        ------
        JudgeTimeoutError
            The time is over.
        JudgeError
            The judge raised (its traceback is in the message) or died.
        SandboxError
            The judge could not enter its sandbox.
        ForkServerError
            The fork server has died.
        """
        parent_end, judge_end = socket.socketpair()
        with parent_end:
            with judge_end:
                judge = self._request({"run": 1}, judge_end.fileno())["pid"]
            gone = False
            try:
                parent_end.settimeout(timeout)
                confirm(parent_end)
                write_block(parent_end, job)
                answer = read_block(parent_end)
            except TimeoutError:
                raise JudgeTimeoutError(
                    f"no result within {timeout:g} seconds"
                ) from None
            except (EOFError, ConnectionError):
                answer, gone = b"", True
            finally:
                status = self._request({"end": judge, "gone": gone})["status"]
        if not answer:
            raise JudgeError(f"the judge died before it had a result{_how(status)}")
        if answer[:1] != READY:
            raise JudgeError(f"the judge raised:\n{answer[1:].decode()}")
        return answer[1:]

    def close(self) -> None:
        """End the fork server and everything that it started."""
        self._process.end(patience=10)
        self.processor.release()
        # The server does this when its parent dies, the parent when the server did.
        if self._base != INSIDE:
            shutil.rmtree(self._base, ignore_errors=True)

    def __enter__(self) -> ForkServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _request(self, message: Json, *descriptors: int) -> Json:
        try:
            send(self._process.sock, message, *descriptors)
            answer, _ = receive(self._process.sock)
        except (EOFError, OSError) as error:
            said = self._process.printed(2000)
            raise ForkServerError(
                f"the fork server has died ({error}): {said}"
            ) from error
        if "error" in answer:
            raise ForkServerError(f"the fork server cannot work: {answer['error']}")
        return answer


def _how(status: int | None) -> str:
    if status is None:
        return ""
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        return f" ({signal.Signals(-code).name})"
    return f" (exit status {code})"
