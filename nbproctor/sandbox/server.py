"""Fork server process: everything is imported, so a fork costs milliseconds.

`client.ForkServer` starts it, and it serves one parent.  Judges and students are its
children, siblings of each other; it alone knows their ids, ends them and collects them.
It never reads a job: a judge gets the parent's socket and reads the job from it, so no
hidden test is in the memory from which a student is forked.
"""

from __future__ import annotations

import contextlib
import gc
import os
import selectors
import shutil
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from nbproctor.sandbox import layers, libc, mounting
from nbproctor.sandbox.child import require_one_thread
from nbproctor.sandbox.layers import Policy
from nbproctor.sandbox.messages import (
    FAILED,
    READY,
    Child,
    confirm,
    read_block,
    receive,
    send,
    write_block,
)
from nbproctor.sandbox.processes import Processes
from nbproctor.sandbox.processor import stay_on

OOM_SCORE = 500  # of 1000: the kernel ends the process with the highest


def resolve(name: str) -> Callable[..., Any]:
    """Import the function that ``"package.module:function"`` names."""
    module, _, function = name.partition(":")
    imported: Callable[..., Any] = getattr(import_module(module), function)
    return imported


@dataclass
class Server:
    """Reads requests, forks, kills, collects."""

    control: socket.socket
    policy: Policy
    judge_policy: Policy
    student_main: Callable[[socket.socket], None]
    judge_main: Callable[[bytes, Callable[[], Child]], bytes]
    processes: Processes
    selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)

    def serve(self) -> None:
        """Answer until the parent closes its end, then leave nothing behind."""
        self.selector.register(self.control, selectors.EVENT_READ, self._parent)
        try:
            while True:
                some = len(self.processes.running) > 1
                waiting = self.processes.watch() if some else None
                for key, _ in self.selector.select(waiting):
                    key.data()
        except EOFError:
            self.processes.end_all()

    def _parent(self) -> None:
        request, descriptors = receive(self.control)
        if "end" in request:
            if request["gone"]:
                _await_end(request["end"])
            send(self.control, {"status": self.processes.end(request["end"])})
            return
        with socket.socket(fileno=descriptors[0]) as job:
            self._fork_judge(job)

    def _judge_asks(self, judge: int, sock: socket.socket) -> None:
        try:
            request, _ = receive(sock)
            if "kill" in request:
                process = self.processes.running.get(request["kill"])
                if process is not None and process.judge == judge:
                    self.processes.end(process.pid)
                send(sock, {})
                return
            self._fork_student(judge, sock)
        except (EOFError, ConnectionError):
            # The judge has ended or is ending, so its students must.
            self.selector.unregister(sock)
            sock.close()
            self.processes.end_students(judge)

    def _fork_judge(self, job: socket.socket) -> None:
        """Fork a judge that reads its job from `job`; tell the parent its id."""
        try:
            judge = self.processes.fork(self.judge_policy, None, self._judge, job)
        except (OSError, RuntimeError) as error:
            send(self.control, {"error": str(error)})
            return
        self.selector.register(
            judge.sock,
            selectors.EVENT_READ,
            partial(self._judge_asks, judge.pid, judge.sock),
        )
        send(self.control, {"pid": judge.pid})

    def _fork_student(self, judge: int, sock: socket.socket) -> None:
        """Fork a student process; send its judge its id and the end to talk to it."""
        try:
            student = self.processes.fork(self.policy, judge, self.student_main)
        except (OSError, RuntimeError) as error:
            send(sock, {"error": str(error)})
            return
        with student.sock:
            send(sock, {"pid": student.pid}, student.sock.fileno())

    def _judge(self, job: socket.socket, server: socket.socket) -> None:
        def spawn() -> Child:
            send(server, {"spawn": 1})
            answer, descriptors = receive(server)
            if "error" in answer:
                raise layers.SandboxError(answer["error"])
            sock = socket.socket(fileno=descriptors[0])
            child = Child(answer["pid"], sock, server)
            try:
                confirm(sock)
            except BaseException:
                child.close()
                raise
            return child

        try:
            result = READY + self.judge_main(read_block(job), spawn)
        except BaseException:
            result = FAILED + traceback.format_exc().encode()
        write_block(job, result)


def _await_end(pid: int) -> None:
    """Wait a moment for a process that has closed its socket, for its exit status."""
    for _ in range(100):
        with contextlib.suppress(ChildProcessError):
            if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                time.sleep(0.001)
                continue
        return


def main(descriptor: int) -> None:
    """Import everything, then serve the parent at the other end of `descriptor`."""
    control = socket.socket(fileno=descriptor)
    control.set_inheritable(False)
    if sys.platform == "linux":
        _ended_first()
        # No process of the same user reads the memory of this one or of its forks.
        libc.prctl(libc.PR_SET_DUMPABLE, 0)
    os.umask(0o022)
    try:
        setup, _ = receive(control)
        stay_on(setup["processor"])
        base = Path(setup["base"])
        base.mkdir(exist_ok=True)
        base.chmod(0o711)  # other user ids pass through to their own folders
        policy = msgspec.convert(setup["policy"], Policy)
        _open_folder(base / "opening", policy)
        for item in setup["preload"]:
            if isinstance(item, str):
                import_module(item)
            else:
                resolve(item[0])(item[1])
        os.chdir("/")
        if not policy.weak:
            layers.prepare()
        # What a module's import needed for a moment (matplotlib's font timer).
        for thread in threading.enumerate()[1:]:
            thread.join(timeout=2)
        require_one_thread()
        hard_limits = mounting.gain()
        server = Server(
            control,
            policy,
            msgspec.convert(setup["judge_policy"], Policy),
            resolve(setup["student_main"]),
            resolve(setup["judge_main"]),
            Processes(base, hard_limits),
        )
        # Old objects are not looked at again, so their pages stay shared.
        gc.collect()
        gc.freeze()
    except EOFError:
        return
    except Exception:
        send(control, {"error": traceback.format_exc()})
        return
    send(control, {"ready": 1})
    try:
        server.serve()
    finally:
        shutil.rmtree(base)


def _ended_first() -> None:
    """Where memory of the whole computer runs out, end a fork and not who grades."""
    place = Path("/proc/self/oom_score_adj")
    with contextlib.suppress(OSError):
        place.write_text(str(max(int(place.read_text()), OOM_SCORE)))


def _open_folder(folder: Path, policy: Policy) -> None:
    """Change to a folder with the policy's files, so that preloaded code finds them."""
    folder.mkdir(mode=0o755)
    os.chdir(folder)
    for name, source in policy.files:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).symlink_to(source)
