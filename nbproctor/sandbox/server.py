"""Fork server process: all modules are imported, so a fork takes milliseconds.

`forkserver.ForkServer` starts it, and it serves one parent. Judges and students are its
children. Only the fork server knows their process ids, ends them and collects them. It
never reads a job: a judge gets the parent's socket and reads the job from there, so no
hidden test is in the memory from which a student process is forked.
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

OOM_SCORE = 500  # of 1000: the kernel ends the process with the highest score
# How often memory and scratch folders are measured. If scratch folders have no hard
# limit, a process can write 2 GB a second. Then they are measured more often, but at
# most half of the time.
WATCH_SECONDS = 0.1
CLOSE_WATCH_SECONDS = 0.005
# Memory that honest code needs, and that the kernel does not count as data: what
# libraries wrote once and made read-only, and the main stack.
NOT_DATA = 64 << 20


@dataclass
class Running:
    """A fork that runs, and its limits."""

    pid: int
    slot: int
    scratch: Path
    memory: int  # limit in bytes, including what it shares with the server
    judge: int  # process id of the judge that it belongs to, or is


def measure_folder(folder: Path) -> tuple[int, int]:
    """Return bytes and number of files in a scratch folder (0, 0 if it is gone).

    Of a file, its size counts or its blocks, whichever is more: a process can fill a
    hole in it through a memory map between two measurements.
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

    RLIMIT_DATA counts only writable memory, not what was written and then made
    read-only.
    """
    most = 0
    try:
        # The entry of the process itself is empty once its first thread has ended.
        for thread in list(Path(f"/proc/{pid}/task").iterdir()):
            _, resident, shared, *_ = layers.pages(f"{pid}/task/{thread.name}")
            most = max(most, resident - shared)
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return most * os.sysconf("SC_PAGE_SIZE")


@dataclass
class Child:
    """A student process, seen from its judge; the fork server has forked it."""

    pid: int  # in the fork server's namespace
    sock: socket.socket  # the judge's end of a pair; `student_main` has the other end
    _server: socket.socket | None  # None once it has ended

    def processor_seconds(self) -> float:
        """Return the processor time in seconds; 0 once the process has ended."""
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
    """The fork server: answers requests, and forks, watches and ends processes."""

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
        """Answer requests until the parent closes its end; then end all processes."""
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
            send(self.control, {"status": self.end(request["end"])})
            return
        with socket.socket(fileno=descriptors[0]) as job:
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
            elif "seconds" in request:  # a sandbox hides all other processes
                pid = request["seconds"]
                seconds = processor_seconds(pid) if pid in self.running else 0.0
                send(sock, {"seconds": seconds})
            else:
                student = self._fork(sock, self.policy, judge, self.student_main)
                if student:
                    with student.sock:
                        send(sock, {"pid": student.pid}, student.sock.fileno())
        except (EOFError, ConnectionError):
            # The judge has ended, or is ending, so its students must end, too.
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

        If this fails, the requester gets the reason, and the result is None.
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
            scratch.mkdir(mode=0o700, exist_ok=True)  # a fork may have failed before
            child = fork(body, policy, scratch, *descriptors)
        except (OSError, RuntimeError) as error:
            send(requester, {"error": str(error)})
            return None
        process = Running(
            pid=child.pid,
            slot=slot,
            scratch=scratch,
            memory=most,
            judge=judge or child.pid,
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
            # If this raises, the judge ends, and its students with it.
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
        """End processes that exceed a limit; return the seconds until the next look."""
        start = time.monotonic()
        policy = self.policy  # the limits of a judge's scratch folder are the same
        for process in list(self.running.values()):
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
        """End and collect a process, and remove its scratch folder.

        If it is a judge, its students end first. Returns the wait status, which is that
        of its own end if it was ending already; None if it was collected before.
        """
        process = self.running.pop(pid, None)
        if not process:
            return None
        if process.judge == pid:
            self.end_students(pid)
        # A process sets its status before it closes its socket, so a signal that comes
        # after that does not change the status.
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        shutil.rmtree(process.scratch)
        return status


def main(descriptor: int) -> None:
    """Import everything, then serve the parent at the other end of `descriptor`."""
    control = socket.socket(fileno=descriptor)
    control.set_inheritable(False)
    if sys.platform == "linux":
        _raise_oom_score()
        # No process of the same user can read the memory of this one or of its forks.
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
        # An import may start a thread that ends soon (matplotlib's font timer).
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
        # The garbage collector then ignores old objects, so their pages stay shared.
        gc.collect()
        gc.freeze()
    except EOFError:
        return
    except Exception:
        send(control, {"error": traceback.format_exc()})
        os._exit(1)  # without waiting for threads
    send(control, {"ready": 1})
    try:
        server.serve()
    finally:
        shutil.rmtree(base)


def _raise_oom_score() -> None:
    """If the computer runs out of memory, let it end a fork and not the grader."""
    path = Path("/proc/self/oom_score_adj")
    with suppress(OSError):
        score = max(int(path.read_text()), OOM_SCORE)
        path.write_text(str(score))


def _open_folder(folder: Path, policy: Policy) -> None:
    """Change to a folder with the policy's files, so that preloaded code finds them."""
    folder.mkdir(mode=0o755)
    os.chdir(folder)
    # Inside bubblewrap, the original files are read-only; elsewhere, they are copied.
    is_in_bubblewrap = folder.parent == BUBBLEWRAP_FOLDER
    layers.place_files(policy, folder, 0 if is_in_bubblewrap else float("inf"))
