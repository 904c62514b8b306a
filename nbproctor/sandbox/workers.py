"""Workers: warm processes that answer questions, each within limits of time and memory.

A student's file may be slow to read, or need much memory, so it is read in a worker. A
worker that exceeds its limits is ended. Only its question then has no answer, and
another worker takes the next question. A worker is started as ``python -m`` of a module
that calls `serve`.
"""

from __future__ import annotations

import math
import os
import queue
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import IO, Generic, TypeVar

from msgspec import msgpack

from nbproctor.errors import NbproctorError
from nbproctor.sandbox.fork import processor_seconds

if sys.platform != "win32":
    import resource

MAX_BLOCK = 256 << 20  # bytes of a question or an answer
WALL_TIME_FACTOR = 6  # the limit by the clock, as a multiple of the processor time
MIN_PROCESSOR_SHARE = 1 / 60  # of a processor; a worker that computes less is stuck
_LENGTH = struct.Struct("!Q")
_RETIRE = b"\1"  # before an answer
_REUSE = b"\0"

Setup = TypeVar("Setup")
Question = TypeVar("Question")
Answer = TypeVar("Answer")


class WorkerError(NbproctorError):
    """No worker can be started on this computer."""


class ExceededError(NbproctorError):
    """An answer needs more time or memory than a worker has."""


class OverdueError(ExceededError):
    """An answer took too long by the clock, maybe because of other processes."""


@dataclass(frozen=True)
class Allowance:
    """The limits for one question: seconds of processor time, bytes of memory."""

    seconds: int
    memory: int


class Workers(Generic[Answer]):
    """At most `count` workers of one kind; a context manager, which ends them.

    Each runs `module`, which calls `serve`. It first gets `setup`. `allowance` is its
    limit for each question, and `answer` the type of the answers. If no worker is idle
    for `idle_timeout` seconds, another one is started.
    """

    def __init__(
        self,
        module: str,
        setup: object,
        answer: type[Answer],
        allowance: Allowance,
        count: int,
        idle_timeout: float = 0.0,
    ) -> None:
        self._module = module
        self._setup_messages = encode(allowance), encode(setup)
        self._answer = answer
        self._seconds = WALL_TIME_FACTOR * allowance.seconds
        self._idle_timeout = idle_timeout
        self._closed = False
        self._all: set[_Worker] = set()
        self._idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        self._threads = ThreadPoolExecutor(count, "nbproctor-workers")
        self._idle.put(self._start())  # it starts in the background

    def ask(self, question: object) -> Future[Answer]:
        """Return the future answer, or its `ExceededError` or `WorkerError`.

        `UnicodeEncodeError`: a text in the question is not valid Unicode.
        """
        return self._threads.submit(self._ask, question)

    def _ask(self, question: object) -> Answer:
        block = encode(question)
        worker = self._take_idle()
        try:
            answer = worker.ask(block, self._seconds)
        finally:
            # The next question must not get a heap that has grown, or half an answer.
            if worker.must_retire or worker.is_gone:
                self._end(worker)
                if not self._closed:
                    worker = self._start()
            self._idle.put(worker)
        return decode(answer, self._answer)

    def _take_idle(self) -> _Worker:
        """Take an idle worker, or start one; the threads limit their number."""
        try:
            worker = self._idle.get(timeout=self._idle_timeout)
        except queue.Empty:
            return self._start()
        if worker.is_gone:  # it was ended from outside
            self._end(worker)
            return self._start()
        return worker

    def _start(self) -> _Worker:
        worker = _Worker(self._module, *self._setup_messages)
        self._all.add(worker)
        return worker

    def _end(self, worker: _Worker) -> None:
        self._all.discard(worker)
        worker.end()

    def __enter__(self) -> Workers[Answer]:
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        for worker in [*self._all]:
            worker.process.kill()  # so that the thread that waits for it ends
        self._threads.shutdown()
        for worker in [*self._all]:
            self._end(worker)


class _Worker:
    """One worker, seen from the process that asks it."""

    def __init__(self, module: str, *messages: bytes) -> None:
        command = [sys.executable, "-P", "-m", module]
        pipe = subprocess.PIPE
        try:
            self.process = subprocess.Popen(
                command,
                stdin=pipe,
                stdout=pipe,
            )
        except OSError as error:
            raise WorkerError(f"No process can be started here ({error}).") from error
        assert self.process.stdin and self.process.stdout
        self._stdin = self.process.stdin
        self._stdout = self.process.stdout
        self._is_ready = False
        self.must_retire = False
        with suppress(OSError):  # if it has ended, it does not become ready
            for block in messages:
                _write(self._stdin, block)

    @property
    def is_gone(self) -> bool:
        """Whether the process has ended."""
        return self.process.poll() is not None

    def ask(self, question: bytes, seconds: float) -> bytes:
        """Return the answer; `ExceededError` or `OverdueError` if there is none.

        A worker that computes too little in `seconds` by the clock is ended.
        """
        is_answered = Event()
        is_overdue = Event()

        def end_if_stuck() -> None:
            """End the worker when it is stuck; on a busy computer, it may go on."""
            with suppress(OSError):  # it has ended
                computed = processor_seconds(self.process.pid)
                expected = 0.0
                while computed >= expected:
                    if is_answered.wait(seconds):
                        return
                    expected = computed + MIN_PROCESSOR_SHARE * seconds
                    computed = processor_seconds(self.process.pid)
            is_overdue.set()
            self.process.kill()

        Thread(target=end_if_stuck, daemon=True).start()
        try:
            self._wait_until_ready()
            _write(self._stdin, question)
            answer = _read(self._stdout)
        except OSError:
            answer = None
        except WorkerError:
            if not is_overdue.is_set():
                raise
            answer = None
        finally:
            is_answered.set()
        self.must_retire = answer is None or answer.startswith(_RETIRE)
        if answer is None and is_overdue.is_set():
            raise OverdueError(f"it was not ready after {seconds:g} seconds")
        if answer is None:
            raise ExceededError("it took too much time or memory")
        return answer[1:]

    def _wait_until_ready(self) -> None:
        """Wait for the start; if it fails, no question is to blame (`WorkerError`)."""
        if not self._is_ready and _read(self._stdout) is None:
            raise WorkerError(
                "A process that reads submissions or makes pages ended at its start. "
                f"To see why, run: {' '.join(map(str, self.process.args))}"  # type: ignore
            )
        self._is_ready = True

    def end(self) -> None:
        """End the process."""
        with suppress(OSError), self.process:
            self.process.kill()


def serve(
    answer: Callable[[Setup, Question], object],
    setup: type[Setup],
    question: type[Question],
) -> None:
    """Answer questions in this process, the worker, until the other process has ended.

    `answer` gets the setup and a question. Its `MemoryError` ends the worker.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the other process handles Ctrl-C
    questions = sys.stdin.buffer
    answers = sys.stdout.buffer
    allowance = decode(_read(questions) or b"", Allowance)
    setting = decode(_read(questions) or b"", setup)
    if sys.platform != "win32":
        resource.setrlimit(resource.RLIMIT_DATA, (allowance.memory, allowance.memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _write(answers, b"")  # ready
    while (block := _read(questions)) is not None:
        _limit_time(allowance.seconds)
        try:
            decoded = decode(block, question)
            answered = encode(answer(setting, decoded))
        except MemoryError:
            return
        has_grown = _peak_memory() > allowance.memory // 4
        mark = _RETIRE if has_grown else _REUSE
        _write(answers, mark + answered)


def _peak_memory() -> int:
    """Return the most bytes that this process has used; 0 if the system is not Linux.

    ``ru_maxrss`` begins with the memory of the process that started this one.
    """
    if sys.platform != "linux":
        return 0
    status = Path("/proc/self/status").read_text("utf-8")
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


def _limit_time(seconds: int) -> None:
    """Let the system end this process after so much more processor time."""
    if sys.platform != "win32":
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        until = math.ceil(time.process_time()) + seconds
        if hard == resource.RLIM_INFINITY or until < hard:
            resource.setrlimit(resource.RLIMIT_CPU, (until, hard))


# ---- questions and answers as bytes --------------------------------------------------
# They are msgpack of declared types, not pickle: a worker has parsed hostile bytes, so
# nothing that it sends may be executed.


def encode(value: object) -> bytes:
    """Return a value as bytes; a path does not have to be valid Unicode."""
    return msgpack.encode(value, enc_hook=os.fsencode)


def decode(data: bytes, kind: type[Answer]) -> Answer:
    """Return the value that was encoded; `msgspec.MsgspecError` if it is not `kind`."""
    return msgpack.decode(
        data, type=kind, dec_hook=lambda _, name: Path(os.fsdecode(name))
    )


def _write(stream: IO[bytes], block: bytes) -> None:
    stream.write(_LENGTH.pack(len(block)))
    stream.write(block)
    stream.flush()


def _read(stream: IO[bytes]) -> bytes | None:
    """Return a block; None if the other side has ended, or the block is too large."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (size,) = _LENGTH.unpack(head)
    if size > MAX_BLOCK:
        return None
    block = stream.read(size)
    return block if len(block) == size else None
