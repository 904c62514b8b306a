"""Workers: processes that make pages, each with limits of time and memory.

A worker is ``python -m nbproctor.pages.workers``: it reads one line of JSON for each
page and answers with one. What a student wrote may find a way to make a page slow or
large; then its worker is ended, and another makes the page without the notebook. That
is the only fence around a page: what is in it need not count time or memory again.
"""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import msgspec

from nbproctor.errors import NbproctorError
from nbproctor.pages.feedback import Feedback
from nbproctor.pages.outline import Outline
from nbproctor.pages.summary import GradedNotebook
from nbproctor.sandbox.processors import processors

SECONDS = 20.0  # for one page, by the clock
MEMORY = 1 << 30  # bytes


@dataclass(frozen=True)
class Order:
    """A page to be made, and the annotated notebook beside it."""

    graded: GradedNotebook
    page: str  # path where it goes
    key: str  # fingerprint of everything that it is made from

    @property
    def is_made(self) -> bool:
        """Whether page and notebook are there, made from the same as now."""
        try:
            with Path(self.page).open(encoding="utf-8") as file:
                start = file.read(400)
        except (OSError, ValueError):
            return False
        key = f'name="nbproctor-key" content="{self.key}"'
        return key in start and notebook_of(Path(self.page)).exists()


class PageError(NbproctorError):
    """Pages could not be made; the message says whose, and what to do."""


def notebook_of(page: Path) -> Path:
    """Return where the annotated notebook of a page is."""
    return page.with_suffix(".feedback.ipynb")


def make(
    orders: Iterable[Order],
    outlines: Mapping[str, Outline],
    seconds: float = SECONDS,
) -> Iterator[Order]:
    """Make pages, as many at once as there are processors; yield each that is made.

    `outlines` are the assignment's, by notebook; a page takes at most so many
    `seconds`, by the clock.

    Raises
    ------
    PageError
        Some could not be made, not even without the notebook; all others are.
    """
    waiting = list(orders)
    count = min(processors(), len(waiting))
    if not count:
        return
    failed = []
    pool = _Workers(outlines, count, seconds)
    with contextlib.closing(pool), ThreadPoolExecutor(count) as threads:
        running = {threads.submit(pool.make, order): order for order in waiting}
        for future in as_completed(running):
            order = running[future]
            if error := future.result():
                failed.append(f"{order.graded.student} ({error})")
            else:
                yield order
    if failed:
        raise PageError(
            f"{len(failed)} feedback pages could not be made: {', '.join(failed[:3])}. "
            "All others are there. Report this, with the notebook if you may."
        )


def write(order: Order, outline: Outline) -> None:
    """Make one page and its notebook, in this process; each is complete or missing."""
    path = Path(order.page)
    path.parent.mkdir(parents=True, exist_ok=True)
    feedback = Feedback(order.graded, outline)
    notebook = json.dumps(feedback.notebook(), ensure_ascii=False, indent=1)
    _put(notebook_of(path), notebook)
    _put(path, feedback.page(order.key))  # last: it has the key


def _put(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}")
    temporary.write_text(text, "utf-8", errors="replace", newline="\n")
    temporary.replace(path)


class _Workers:
    """Idle workers, and how to start another."""

    def __init__(
        self, outlines: Mapping[str, Outline], count: int, seconds: float
    ) -> None:
        self._first = msgspec.json.encode(dict(outlines)) + b"\n"
        self._seconds = seconds
        self._idle: queue.SimpleQueue[subprocess.Popen[bytes]] = queue.SimpleQueue()
        for _ in range(count):
            self._idle.put(self._start())

    def make(self, order: Order) -> str:
        """Have one page made; return why it could not be, or nothing."""
        error = ""
        for attempt in (order, _without_notebook(order)):
            try:
                question = msgspec.json.encode(attempt) + b"\n"
            except UnicodeEncodeError:
                return "a name in it is no Unicode text"
            worker = self._idle.get()
            try:
                error = self._ask(worker, question)
            finally:
                self._idle.put(worker if worker.poll() is None else self._start())
            if not error:
                break
        return error

    def _ask(self, worker: subprocess.Popen[bytes], question: bytes) -> str:
        late = threading.Timer(self._seconds, worker.kill)
        late.start()
        try:
            _stream(worker.stdin).write(question)
            _stream(worker.stdin).flush()
            answer = _stream(worker.stdout).readline()
        except OSError:
            answer = b""
        finally:
            late.cancel()
        if not answer.endswith(b"\n"):  # it is gone, or went while it wrote
            _end(worker)
            return "it took too much time or memory"
        return msgspec.json.decode(answer, type=str)

    def _start(self) -> subprocess.Popen[bytes]:
        worker = subprocess.Popen(
            [sys.executable, "-P", "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        with contextlib.suppress(OSError):  # then its first page says so
            _stream(worker.stdin).write(self._first)
            _stream(worker.stdin).flush()
        return worker

    def close(self) -> None:
        """End all workers."""
        while not self._idle.empty():
            _end(self._idle.get())


def _without_notebook(order: Order) -> Order:
    """Return the page that is left if the notebook cannot be shown."""
    told = "Your notebook is too much for this page. It was graded whole."
    notes = [*order.graded.notes, told]
    return replace(order, graded=replace(order.graded, path=None, notes=notes))


def _stream(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None
    return stream


def _end(worker: subprocess.Popen[bytes]) -> None:
    worker.kill()
    with contextlib.suppress(OSError):
        worker.communicate()


def main() -> None:
    """Make pages until the other side is gone."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    lines = sys.stdin.buffer
    outlines = msgspec.json.decode(lines.readline(), type=dict[str, Outline])
    for line in lines:
        order = msgspec.json.decode(line, type=Order)
        error = ""
        try:
            write(order, outlines[order.graded.notebook])
        except Exception as failure:  # whatever is in it, it is one page
            error = f"{type(failure).__name__}: {failure}"
        sys.stdout.buffer.write(msgspec.json.encode(error) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
