"""Pages made in processes of their own, each with limits of time and memory.

A worker is ``python -m nbproctor.pages.workers``: it reads one line of JSON for each
page and answers with one. What a student wrote may find a way to make a page slow; then
its worker is ended, and another makes the page with every cell as plain text.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from nbproctor.pages.annotated import annotated
from nbproctor.pages.data import Submission
from nbproctor.pages.feedback import feedback_page
from nbproctor.pages.outline import Outline

SECONDS = 20.0  # for one page, by the clock
MEMORY = 1 << 30  # bytes


@dataclass(frozen=True)
class Order:
    """A page to be made.

    Attributes
    ----------
    submission : Submission
        What it is about.
    page : Path
        Where it goes; the annotated notebook goes beside it.
    key : str
        Fingerprint of everything it is made from.
    """

    submission: Submission
    page: Path
    key: str


class PageError(Exception):
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
        Some could not be made, not even as plain text; all others are.
    """
    waiting = list(orders)
    if not waiting:
        return
    count = min(_processors(), len(waiting))
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


def write(order: Order, outline: Outline, *, plain: bool = False) -> None:
    """Make one page and its notebook, here; each is whole or not there at all."""
    order.page.parent.mkdir(parents=True, exist_ok=True)
    notebook = annotated(order.submission, outline)
    _put(notebook_of(order.page), json.dumps(notebook, ensure_ascii=False, indent=1))
    page = feedback_page(order.submission, outline, order.key, plain=plain)
    _put(order.page, page)  # last: it has the key


def _put(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}")
    temporary.write_text(text, "utf-8", errors="replace", newline="\n")
    temporary.replace(path)


class _Workers:
    """Idle workers, and how to start another."""

    def __init__(
        self, outlines: Mapping[str, Outline], count: int, seconds: float
    ) -> None:
        shared = {name: outline.to_json() for name, outline in outlines.items()}
        self._first = json.dumps(shared) + "\n"
        self._seconds = seconds
        self._idle: queue.SimpleQueue[subprocess.Popen[str]] = queue.SimpleQueue()
        for _ in range(count):
            self._idle.put(self._start())

    def make(self, order: Order) -> str:
        """Have one page made; return why it could not be, or nothing."""
        error = ""
        for plain in (False, True):
            worker = self._idle.get()
            error = self._ask(worker, order, plain)
            if worker.poll() is not None:
                worker = self._start()
            self._idle.put(worker)
            if not error:
                break
        return error

    def _ask(self, worker: subprocess.Popen[str], order: Order, plain: bool) -> str:
        question = json.dumps(
            {
                "submission": order.submission.to_json(),
                "page": str(order.page),
                "key": order.key,
                "plain": plain,
            }
        )
        late = threading.Timer(self._seconds, worker.kill)
        late.start()
        try:
            _stream(worker.stdin).write(question + "\n")
            _stream(worker.stdin).flush()
            answer = _stream(worker.stdout).readline()
        except OSError:
            answer = ""
        finally:
            late.cancel()
        if not answer.endswith("\n"):  # it is gone, or went while it wrote
            _end(worker)
            return "it took too much time or memory"
        return str(json.loads(answer)["error"])

    def _start(self) -> subprocess.Popen[str]:
        worker = subprocess.Popen(
            [sys.executable, "-P", "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            env=os.environ | {"PYTHONIOENCODING": "utf-8"},
        )
        with contextlib.suppress(OSError):  # then its first page says so
            _stream(worker.stdin).write(self._first)
            _stream(worker.stdin).flush()
        return worker

    def close(self) -> None:
        """End all workers."""
        while not self._idle.empty():
            _end(self._idle.get())


def _stream(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream


def _end(worker: subprocess.Popen[str]) -> None:
    worker.kill()
    with contextlib.suppress(OSError):
        worker.communicate()


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def main() -> None:
    """Make pages until the other side is gone."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    shared: dict[str, Any] = json.loads(sys.stdin.readline())
    outlines = {name: Outline.from_json(fields) for name, fields in shared.items()}
    for line in sys.stdin:
        question = json.loads(line)
        submission = Submission.from_json(question["submission"])
        order = Order(submission, Path(question["page"]), question["key"])
        error = ""
        try:
            write(order, outlines[submission.notebook], plain=question["plain"])
        except Exception as failure:  # whatever is in it, it is one page
            error = f"{type(failure).__name__}: {failure}"
        print(json.dumps({"error": error}), flush=True)


if __name__ == "__main__":
    main()
