"""Making the pages of a class: each in a worker, see `nbproctor.sandbox.workers`.

A student may find a way to make a page slow or large. Then its worker is ended, and
another one makes the page without the notebook. This is the only limit on a page: its
parts need not count time or memory again.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, as_completed
from dataclasses import dataclass, replace
from errno import EACCES
from pathlib import Path

from nbproctor.errors import NbproctorError
from nbproctor.pages.feedback_page import Feedback
from nbproctor.pages.outline import Outline, Outlines
from nbproctor.pages.summary import GradedNotebook
from nbproctor.sandbox.processors import count_processors
from nbproctor.sandbox.workers import (
    Allowance,
    ExceededError,
    WorkerError,
    Workers,
    serve,
)
from nbproctor.writing import write_file

# Of a page: in so many characters stands its key; then there may be early feedback.
START = 400
_KEY = re.compile(r'(name="nbproctor-key" content=")[^"]*')
_TOP = re.compile(r'<main>\n(?:<section class="early">.*?</section>\n)?', re.DOTALL)
SECONDS = 20  # of computing, for one page
MEMORY = 1 << 30  # bytes
TOO_MUCH = (
    "Showing your notebook on this page would take too much time or memory. All of it "
    "was graded."
)


@dataclass(frozen=True)
class PageJob:
    """A page to be made, and the annotated notebook that goes with it."""

    graded: GradedNotebook
    page: Path  # where it goes
    key: str  # fingerprint of everything that it is made from

    @property
    def is_made(self) -> bool:
        """Whether page and notebook are there, made from the same as now."""
        try:
            with self.page.open(encoding="utf-8") as file:
                start = file.read(START)
        except (OSError, ValueError):
            return False
        key = f'name="nbproctor-key" content="{self.key}"'
        return key in start and notebook_of(self.page).exists()

    def without_notebook(self) -> PageJob:
        """Return the job of a page without the notebook's cells, which it says."""
        notes = [*self.graded.notes, TOO_MUCH]
        return replace(self, graded=replace(self.graded, path=None, notes=notes))


def prepend_early_feedback(page: Path, early: str) -> str:
    """Return a page of early feedback, above the finished page that is already there.

    That is of an earlier submission, and made anew when the newer one is graded.
    """
    finished = page.read_text("utf-8") if page.exists() else ""
    if not _KEY.search(finished[:START]):
        return early
    finished = _KEY.sub(r"\1", finished, count=1)
    top = _TOP.findall(early)[0]
    return _TOP.sub(lambda _: top, finished, count=1)


class PageError(NbproctorError):
    """Pages could not be made; the message says whose, and what to do."""


def notebook_of(page: Path) -> Path:
    """Return where the annotated notebook of a page is."""
    return page.with_suffix(".feedback.ipynb")


def make(
    jobs: Iterable[PageJob],
    outlines: Outlines,
    seconds: int = SECONDS,
) -> Iterator[PageJob]:
    """Make pages, as many at once as there are processors; yield each that is made.

    `outlines` are the assignment's, by notebook; `seconds` of computing are for a page.
    `PageError`: some could not be made, not even without the notebook; all others are.
    `OSError`: a folder for them cannot be written.
    """
    waiting = list(jobs)
    if not waiting:
        return
    for folder in sorted({job.page.parent for job in waiting}):
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):  # in a worker it would be one page's fault
            raise PermissionError(EACCES, os.strerror(EACCES), str(folder))
    count = min(count_processors(), len(waiting))
    workers = Workers(
        module=__name__,
        setup=dict(outlines),
        answer=str,
        allowance=Allowance(seconds, MEMORY),
        count=count,
    )
    with workers:
        for _ in ("whole", "without the notebook"):
            jobs_by_future = {workers.ask(job): job for job in waiting}
            waiting = []
            failed = []
            for future in as_completed(jobs_by_future):
                job = jobs_by_future[future]
                if error := _error(future):
                    waiting.append(job.without_notebook())
                    failed.append(f"{job.graded.student} ({error})")
                else:
                    yield job
    if failed:
        raise PageError(
            f"{len(failed)} feedback pages could not be made: "
            f"{', '.join(failed[:3])}. All other pages were made. Please report this "
            "as a bug, with the notebook if you may share it."
        )


def _error(future: Future[str]) -> str:
    """Return why a page could not be made, or nothing."""
    try:
        return future.result()
    except ExceededError as error:
        return str(error)
    except UnicodeEncodeError:
        return "a name in it is not Unicode text"
    except WorkerError as error:
        raise PageError(str(error)) from error


def _answer(outlines: dict[str, Outline], job: PageJob) -> str:
    """Make a page and its notebook in a worker; return why not, or nothing."""
    try:
        feedback = Feedback(job.graded, outlines[job.graded.notebook])
        notebook = json.dumps(feedback.notebook(), ensure_ascii=False, indent=1)
        write_file(notebook_of(job.page), notebook)
        write_file(job.page, feedback.page(job.key))  # last: it has the key
    except MemoryError:
        raise
    except Exception as failure:  # whatever is in it, it is one page
        return f"{type(failure).__name__}: {failure}"
    return ""


if __name__ == "__main__":
    serve(_answer, dict[str, Outline], PageJob)
