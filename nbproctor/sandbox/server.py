"""Fork server process: everything is imported, so a fork costs milliseconds.

`forkserver.ForkServer` starts it, and it serves one parent.  Judges and students are
its children, siblings of each other; it alone knows their ids, ends them and collects
them.  It never reads a job: a judge gets the parent's socket and reads the job from it,
so no hidden test is in the memory from which a student is forked.
"""

from __future__ import annotations

import gc
import os
import selectors
import shutil
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from pkgutil import resolve_name

import msgspec

from nbproctor.sandbox import layers, libc
from nbproctor.sandbox.fork import (
    BUBBLEWRAP_FOLDER,
    FAILED,
    READY,
    Fork,
    fork,
    processor_seconds,
    read_block,
    receive,
    require_one_thread,
    send,
    wait_until_sandboxed,
    write_block,
)
from nbproctor.sandbox.policy import SLOTS, Policy
from nbproctor.sandbox.processors import pin_to_processor

OOM_SCORE = 500  # of 1000: the kernel ends the process with the highest
# How often memory and scratch folders are measured. Where scratch folders have no hard
# limit, a writer fills 2 GB a second: then more often, as long as a look takes less.
WATCH_SECONDS = 0.1
CLOSE_WATCH_SECONDS = 0.005
# Memory that is not data by the kernel's count and still honest: what libraries wrote
# once and made read-only, and the main stack.
NOT_DATA = 64 << 20


@dataclass
class Running:
    """A fork that runs, and what it may use."""

    pid: int
    slot: int
    scratch: Path
    policy: Policy
    memory: int  # in bytes, with what it shares with the server
    judge: int  # the judge that it belongs to; a judge belongs to itself


def measure_folder(folder: Path) -> tuple[int, int]:
    """Return bytes and number of files of a scratch folder (0, 0 if it is gone).

    A file counts with its size or its blocks, whichever is more: a hole can be filled
    through a memory map faster than anybody looks.
    """
    size = 0
    count = 0
    for directory, _, names in os.walk(folder):
        for name in names:
            try:
                status = Path(directory, name).lstat()
            except FileNotFoundError:
                continue
            size += max(status.st_size, status.st_blocks * 512)
            count += 1
    return size, count


def anonymous_memory(pid: int) -> int:
    """Return the bytes of anonymous memory in use (0 if the process is gone).

    RLIMIT_DATA counts what may be written; what was written and then made read-only
    stays in memory uncounted.
    """
    most = 0
    try:
        # Of the process there is none, once its first thread has ended.
        for thread in list(Path(f"/proc/{pid}/task").iterdir()):
            _, resident, shared, *_ = layers.pages(f"{pid}/task/{thread.name}")
            most = max(most, resident - shared)
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return most * os.sysconf("SC_PAGE_SIZE")


@dataclass
class Child:
    """Student process, as its judge holds it: the fork server has forked it."""

    pid: int  # in the fork server's namespace
    sock: socket.socket  # our end of the pair whose other end `student_main` got
    _server: socket.socket | None

    def processor_seconds(self) -> float:
        """Return the processor time that it has used so far; 0 once it has ended."""
        if not self._server:
            return 0.0
        send(self._server, {"seconds": self.pid})
        answer, _ = receive(self._server)
        return float(answer["seconds"])

    def close(self) -> None:
        """End the process, whatever it is doing, and close the socket."""
        if self._server:
            send(self._server, {"kill": self.pid})
            receive(self._server)
            self._server = None
        self.sock.close()


@dataclass
class Server:
    """Reads requests, forks, watches, kills, collects."""

    control: socket.socket
    policy: Policy
    judge_policy: Policy
    student_main: Callable[[socket.socket], None]
    judge_main: Callable[[bytes, Callable[[], Child]], bytes]
    base: Path  # of scratch folders
    hard_limits: bool  # whether the kernel limits their size
    # Forks that have not been collected, by process id.
    running: dict[int, Running] = field(default_factory=dict)
    selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)

    def serve(self) -> None:
        """Answer until the parent closes its end, then leave nothing behind."""
        self.selector.register(self.control, selectors.EVENT_READ, self._handle_parent)
        try:
            while True:
                others_run = len(self.running) > 1
                waiting = self.watch() if others_run else None
                for key, _ in self.selector.select(waiting):
                    key.data()
        except EOFError:
            for pid in list(self.running):
                self.end(pid)

    def _handle_parent(self) -> None:
        request, descriptors = receive(self.control)
        if "end" in request:
            if request["gone"]:
                _await_end(request["end"])
            send(self.control, {"status": self.end(request["end"])})
            return
        with socket.socket(fileno=descriptors[0]) as job:
            # It reads its job from there.
            judge = self._fork(
                self.control,
                self.judge_policy,
                None,
                self._run_judge,
                job,
            )
        if judge:
            asks = partial(self._handle_judge, judge.pid, judge.sock)
            self.selector.register(judge.sock, selectors.EVENT_READ, asks)
            send(self.control, {"pid": judge.pid})

    def _handle_judge(self, judge: int, sock: socket.socket) -> None:
        try:
            request, _ = receive(sock)
            if "kill" in request:
                process = self.running.get(request["kill"])
                if process and process.judge == judge:
                    self.end(process.pid)
                send(sock, {})
            elif "seconds" in request:  # its own sandbox lets no process look at others
                pid = request["seconds"]
                seconds = processor_seconds(pid) if pid in self.running else 0.0
                send(sock, {"seconds": seconds})
            elif student := self._fork(sock, self.policy, judge, self.student_main):
                with student.sock:
                    send(sock, {"pid": student.pid}, student.sock.fileno())
        except (EOFError, ConnectionError):
            # The judge has ended or is ending, so its students must.
            self.selector.unregister(sock)
            sock.close()
            self.end_students(judge)

    def _fork(
        self,
        requester: socket.socket,
        policy: Policy,
        judge: int | None,
        body: Callable[..., None],
        *descriptors: socket.socket,
    ) -> Fork | None:
        """Fork a judge (`judge` is None), or a student process of a judge.

        If that fails, the requester gets the reason.
        """
        taken = {process.slot for process in self.running.values()}
        free = set(range(SLOTS)) - taken
        slot = min(free, default=SLOTS)
        scratch = self.base / str(slot)
        if policy.uid is not None:
            policy = replace(policy, uid=policy.uid + slot)
        try:
            if not free:
                raise RuntimeError(f"a judge keeps more than {SLOTS - 1} students")
            require_one_thread()
            _, data = layers.memory_in_use()
            most = data + policy.memory + NOT_DATA
            scratch.mkdir(mode=0o700)
            try:
                child = fork(body, policy, scratch, *descriptors)
            except OSError:
                scratch.rmdir()
                raise
        except (OSError, RuntimeError) as error:
            send(requester, {"error": str(error)})
            return None
        owner = child.pid if judge is None else judge
        process = Running(
            pid=child.pid,
            slot=slot,
            scratch=scratch,
            policy=policy,
            memory=most,
            judge=owner,
        )
        self.running[child.pid] = process
        return child

    def _run_judge(self, job: socket.socket, server: socket.socket) -> None:
        def spawn() -> Child:
            send(server, {"spawn": 1})
            answer, descriptors = receive(server)
            if "error" in answer:
                raise layers.SandboxError(answer["error"])
            sock = socket.socket(fileno=descriptors[0])
            # If it raises, this judge ends, and its students with it.
            wait_until_sandboxed(sock)
            return Child(
                pid=answer["pid"],
                sock=sock,
                _server=server,
            )

        try:
            result = READY + self.judge_main(read_block(job), spawn)
        except BaseException:
            result = FAILED + traceback.format_exc().encode()
        write_block(job, result)

    def watch(self) -> float:
        """End processes that use too much; return the seconds until the next look."""
        start = time.monotonic()
        for process in list(self.running.values()):
            policy = process.policy
            size, count = measure_folder(process.scratch)
            if (
                size > policy.scratch
                or count > policy.scratch_files
                or anonymous_memory(process.pid) > process.memory
            ):
                self.end(process.pid)
        if self.hard_limits:
            return WATCH_SECONDS
        return max(CLOSE_WATCH_SECONDS, time.monotonic() - start)

    def end_students(self, judge: int) -> None:
        """Kill and collect the student processes of a judge."""
        for process in list(self.running.values()):
            if process.judge == judge != process.pid:
                self.end(process.pid)

    def end(self, pid: int) -> int | None:
        """Kill and collect a process (of a judge: its students too), wipe its scratch.

        Returns its wait status if it had ended by itself, else None.
        """
        process = self.running.pop(pid, None)
        if not process:
            return None
        if process.judge == pid:
            self.end_students(pid)
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended == 0:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        shutil.rmtree(process.scratch)
        return status if ended else None


def _await_end(pid: int) -> None:
    """Wait a moment for a process that has closed its socket, for its exit status."""
    for _ in range(100):
        with suppress(ChildProcessError):
            if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                time.sleep(0.001)
                continue
        return


def main(descriptor: int) -> None:
    """Import everything, then serve the parent at the other end of `descriptor`."""
    control = socket.socket(fileno=descriptor)
    control.set_inheritable(False)
    if sys.platform == "linux":
        _raise_oom_score()
        # No process of the same user reads the memory of this one or of its forks.
        libc.prctl(libc.PR_SET_DUMPABLE, 0)
    os.umask(0o022)
    try:
        setup, _ = receive(control)
        pin_to_processor(setup["processor"])
        base = Path(setup["base"])
        base.mkdir(exist_ok=True)
        base.chmod(0o711)  # other user ids pass through to their own folders
        policy = msgspec.convert(setup["policy"], Policy)
        _open_folder(base / "opening", policy)
        for item in setup["preload"]:
            if isinstance(item, str):
                import_module(item)
            else:
                function, *arguments = item
                resolve_name(function)(*arguments)
        os.chdir("/")
        judge_policy = msgspec.convert(setup["judge_policy"], Policy)
        if not policy.weak:
            layers.prepare(policy, judge_policy)
        # What a module's import needed for a moment (matplotlib's font timer).
        for thread in threading.enumerate()[1:]:
            thread.join(timeout=2)
        require_one_thread()
        hard_limits = libc.gain_mounts()
        server = Server(
            control=control,
            policy=policy,
            judge_policy=judge_policy,
            student_main=resolve_name(setup["student_main"]),
            judge_main=resolve_name(setup["judge_main"]),
            base=base,
            hard_limits=hard_limits,
        )
        # Old objects are not looked at again, so their pages stay shared.
        gc.collect()
        gc.freeze()
    except EOFError:
        return
    except Exception:
        send(control, {"error": traceback.format_exc()})
        os._exit(1)  # whatever threads there are
    send(control, {"ready": 1})
    try:
        server.serve()
    finally:
        shutil.rmtree(base)


def _raise_oom_score() -> None:
    """Where memory of the whole computer runs out, end a fork and not who grades."""
    path = Path("/proc/self/oom_score_adj")
    with suppress(OSError):
        score = max(int(path.read_text()), OOM_SCORE)
        path.write_text(str(score))


def _open_folder(folder: Path, policy: Policy) -> None:
    """Change to a folder with the policy's files, so that preloaded code finds them."""
    folder.mkdir(mode=0o755)
    os.chdir(folder)
    # All is read-only in a view of its own, and here not yet.
    is_in_bubblewrap = folder.parent == BUBBLEWRAP_FOLDER
    layers.place_files(policy, folder, 0 if is_in_bubblewrap else float("inf"))
