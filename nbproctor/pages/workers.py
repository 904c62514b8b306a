"""Workers: processes that make pages, each with limits of time and memory.

A worker is ``python -m nbproctor.pages.workers``: it reads one line of JSON for each
page and answers with one. What a student wrote may find a way to make a page slow; then
its worker is ended, and another makes the page with every cell as plain text, or, if
that does not help, without the notebook.
"""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import msgspec

from nbproctor.errors import NbproctorError
from nbproctor.pages.annotated import annotated
from nbproctor.pages.data import Submission
from nbproctor.pages.feedback import feedback_page
from nbproctor.pages.outline import Outline
from nbproctor.sandbox.processors import processors

SECONDS = 20.0  # for one page, by the clock
MEMORY = 1 << 30  # bytes


@dataclass(frozen=True)
class Order:
    """A page to be made.

    Attributes
    ----------
    submission : Submission
        What it is about.
    page : str
        Path where it goes; the annotated notebook goes beside it.
    key : str
        Fingerprint of everything it is made from.
    plain : bool
        Show every cell as plain text.
    """

    submission: Submission
    page: str
    key: str
    plain: bool = False


class PageError(NbproctorError):
    """Pages could not be made; the message says whose, and what to do."""


def notebook_of(page: Path) -> Path:
    """Return where the annotated notebook of a page is."""
    return page.with_suffix(".feedback.ipynb")


def make(
    orders: Iterable[Order],
    outlines: Mapping[str, Outline],
    progress: Callable[[Order], None] | None = None,
    *,
    seconds: float = SECONDS,
) -> None:
    """Make pages, as many at once as there are processors.

    Parameters
    ----------
    orders
        The pages.
    outlines
        Notebook name → what all its pages share.
    progress
        Called for each page that is made.
    seconds
        For one page, by the clock.

    Raises
    ------
    PageError
        Some could not be made, not even without the notebook; all others are.
    """
    waiting = list(orders)
    if not waiting:
        return
    count = min(processors(), len(waiting))
    pool = _Workers(outlines, count, seconds)
    failed = []
    with contextlib.closing(pool), ThreadPoolExecutor(count) as threads:
        running = {threads.submit(pool.make, order): order for order in waiting}
        for future in as_completed(running):
            order = running[future]
            if error := future.result():
                failed.append(f"{order.submission.student} ({error})")
            elif progress:
                progress(order)
    if failed:
        raise PageError(
            f"{len(failed)} feedback pages could not be made: {', '.join(failed[:3])}. "
            "All others are there. Report this, with the notebook if you may."
        )


def write(order: Order, outline: Outline) -> None:
    """Make one page and its notebook, in this process; each is complete or missing."""
    path = Path(order.page)
    path.parent.mkdir(parents=True, exist_ok=True)
    notebook = annotated(order.submission, outline)
    _put(notebook_of(path), json.dumps(notebook, ensure_ascii=False, indent=1))
    page = feedback_page(order.submission, outline, order.key, plain=order.plain)
    _put(path, page)  # last: it has the key


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
        plain = replace(order, plain=True)
        for attempt in (order, plain, _without_notebook(order)):
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
    """Return the page that is left if the notebook cannot be shown at all."""
    told = "Your notebook is too much for this page. It was graded whole."
    notes = [*order.submission.notes, told]
    submission = replace(order.submission, graded=None, notes=notes)
    return replace(order, submission=submission)


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
            write(order, outlines[order.submission.notebook])
        except Exception as failure:  # whatever is in it, it is one page
            error = f"{type(failure).__name__}: {failure}"
        sys.stdout.buffer.write(msgspec.json.encode(error) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
