"""Workers: warm processes that answer questions, each within limits of time and memory.

What a student wrote may be slow to read, or grow in memory. So it is read in a worker:
one that exceeds its limits is ended, that question alone has no answer, and another
worker takes the next. A worker is ``python -m`` of a module that calls `serve`.
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
WALL_TIME_FACTOR = 6  # by the clock, so many times the seconds of computing
MIN_PROCESSOR_SHARE = 1 / 60  # of a processor: what computes less than that is stuck
# Of computing: a worker that took longer is not asked again.
LONG_ANSWER_SECONDS = 1.0
_LENGTH = struct.Struct("!Q")
_RETIRE = b"\1"  # before an answer
_REUSE = b"\0"

Setup = TypeVar("Setup")
Question = TypeVar("Question")
Answer = TypeVar("Answer")


class WorkerError(NbproctorError):
    """No worker can be started on this computer."""


class ExceededError(NbproctorError):
    """An answer would take more time or memory than a worker has."""


class OverdueError(ExceededError):
    """By the clock an answer took too long, in which others may have computed."""


@dataclass(frozen=True)
class Allowance:
    """What a worker has for one question: seconds of computing, bytes of memory."""

    seconds: int
    memory: int


class Workers(Generic[Answer]):
    """At most `count` workers of one kind; a context manager, which ends them.

    Each runs `module`, which calls `serve`. It first gets `setup`, and has the
    `allowance` for each question. An answer is decoded as `answer`. A question waits
    `idle_timeout` seconds for a worker before another one is started.
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
        self._idle.put(self._start())  # it gets ready meanwhile

    def ask(self, question: object) -> Future[Answer]:
        """Return the answer to come, or `ExceededError` or `WorkerError`.

        `UnicodeEncodeError`: a text of the question is no Unicode.
        """
        return self._threads.submit(self._ask, question)

    def _ask(self, question: object) -> Answer:
        block = encode(question)
        worker = self._take_idle()
        try:
            answer = worker.ask(block, self._seconds)
        finally:
            # What its heap has grown by, or a half answer, is not the next one's.
            if worker.must_retire or worker.is_gone:
                self._end(worker)
                if not self._closed:
                    worker = self._start()
            self._idle.put(worker)
        return decode(answer, self._answer)

    def _take_idle(self) -> _Worker:
        """Take an idle worker; the number of threads is how many there can be."""
        try:
            worker = self._idle.get(timeout=self._idle_timeout)
        except queue.Empty:
            return self._start()
        if worker.is_gone:  # somebody has ended it
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
            worker.process.kill()  # whoever waits for it goes on
        self._threads.shutdown()
        for worker in [*self._all]:
            self._end(worker)


class _Worker:
    """One worker, as the process that asks it holds it."""

    def __init__(self, module: str, *messages: bytes) -> None:
        command = [sys.executable, "-P", "-m", module]
        pipe = subprocess.PIPE
        try:
            self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe)
        except OSError as error:
            raise WorkerError(f"No process can be started here ({error}).") from error
        assert self.process.stdin and self.process.stdout
        self._stdin = self.process.stdin
        self._stdout = self.process.stdout
        self._is_ready = False
        self.must_retire = False
        with suppress(OSError):  # then it does not get ready
            for block in messages:
                _write(self._stdin, block)

    @property
    def is_gone(self) -> bool:
        """Whether the process has ended."""
        return self.process.poll() is not None

    def ask(self, question: bytes, seconds: float) -> bytes:
        """Return the answer; `ExceededError`, or `OverdueError`, if there is none."""
        is_answered = Event()
        is_overdue = Event()

        def end_if_stuck() -> None:
            """End it when it no longer computes; on a busy computer it goes on."""
            with suppress(OSError):  # it has ended
                at_least = 0.0
                while (computed := processor_seconds(self.process.pid)) >= at_least:
                    at_least = computed + MIN_PROCESSOR_SHARE * seconds
                    if is_answered.wait(seconds):
                        return
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
        """Wait for the start, or each question would be blamed if there is none."""
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
    """Answer questions in this process, the worker, until nobody is there to ask.

    `answer` lets a `MemoryError` pass: it ends the worker.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever asks
    lines = sys.stdin.buffer
    answers = sys.stdout.buffer
    allowance = decode(_read(lines) or b"", Allowance)
    setting = decode(_read(lines) or b"", setup)
    if sys.platform != "win32":
        resource.setrlimit(resource.RLIMIT_DATA, (allowance.memory, allowance.memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _write(answers, b"")  # ready
    while (block := _read(lines)) is not None:
        _limit_time(allowance.seconds)
        begun = time.process_time()
        try:
            decoded = decode(block, question)
            answered = encode(answer(setting, decoded))
        except MemoryError:
            return
        took_long = time.process_time() - begun > LONG_ANSWER_SECONDS
        must_retire = took_long or _most_memory() > allowance.memory // 4
        mark = _RETIRE if must_retire else _REUSE
        _write(answers, mark + answered)


def _most_memory() -> int:
    """Return how many bytes this process had at most, as far as it can be known.

    Not by ``ru_maxrss``, which begins with that of the process that started this.
    """
    if sys.platform != "linux":
        return 0
    status = Path("/proc/self/status").read_text("utf-8")
    kilobytes = status.partition("VmHWM:")[2].split()[0]
    return 1024 * int(kilobytes)


def _limit_time(seconds: int) -> None:
    """Let this process be ended after so much more computing, whatever others do."""
    if sys.platform != "win32":
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        until = math.ceil(time.process_time()) + seconds
        if hard == resource.RLIM_INFINITY or until < hard:
            resource.setrlimit(resource.RLIMIT_CPU, (until, hard))


# ---- what crosses --------------------------------------------------------------------
# msgpack of types that are declared, and not pickle: a process that has parsed hostile
# bytes answers here, and nothing that it may send is executed, or decides what is.


def encode(value: object) -> bytes:
    """Return a value as bytes; a path need not be Unicode."""
    return msgpack.encode(value, enc_hook=os.fsencode)


def decode(data: bytes, kind: type[Answer]) -> Answer:
    """Return the value that `encode` got; `msgspec.MsgspecError` if it is another."""
    return msgpack.decode(
        data, type=kind, dec_hook=lambda _, name: Path(os.fsdecode(name))
    )


def _write(stream: IO[bytes], block: bytes) -> None:
    stream.write(_LENGTH.pack(len(block)))
    stream.write(block)
    stream.flush()


def _read(stream: IO[bytes]) -> bytes | None:
    """Return a block; None where the other side is gone, or sends no end of it."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (size,) = _LENGTH.unpack(head)
    if size > MAX_BLOCK:
        return None
    block = stream.read(size)
    return block if len(block) == size else None
