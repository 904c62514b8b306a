"""Making the pages of a class: each in a worker, see `nbproctor.sandbox.workers`.

A student may find a way to make a page slow or large. Then its worker is ended, and
another worker makes the page without the notebook. The code that makes a page has no
other limits of time or memory.
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

# In so many first characters of a page is its key; early feedback may follow.
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
        """Whether page and notebook exist, made from the current inputs."""
        try:
            with self.page.open(encoding="utf-8") as file:
                start = file.read(START)
        except (OSError, ValueError):
            return False
        key = f'name="nbproctor-key" content="{self.key}"'
        return key in start and notebook_of(self.page).exists()

    def without_notebook(self) -> PageJob:
        """Return the job of a page without cells, which says that they are left out."""
        notes = [*self.graded.notes, TOO_MUCH]
        graded = replace(
            self.graded,
            path=None,
            notes=notes,
        )
        return replace(self, graded=graded)


def prepend_early_feedback(page: Path, early: str) -> str:
    """Return a page with early feedback above the existing finished page.

    The finished page is about an earlier submission. It is made again when the newer
    submission is graded.
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
    """Return the path of the annotated notebook of a page."""
    return page.with_suffix(".feedback.ipynb")


def make(jobs: Iterable[PageJob], outlines: Outlines) -> Iterator[PageJob]:
    """Make pages, as many at once as there are processors; yield each that is made.

    `outlines` are the assignment's, by notebook; each page has `SECONDS` of computing
    time. `PageError`: some pages could not be made, not even without the notebook; all
    others were. `OSError`: a folder for them cannot be written.
    """
    waiting = list(jobs)
    if not waiting:
        return
    for folder in sorted({job.page.parent for job in waiting}):
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):  # a worker would blame one page
            raise PermissionError(EACCES, os.strerror(EACCES), str(folder))
    count = min(count_processors(), len(waiting))
    workers = Workers(
        module=__name__,
        setup=dict(outlines),
        answer=str,
        allowance=Allowance(SECONDS, MEMORY),
        count=count,
    )
    with workers:
        for _ in ("whole", "without the notebook"):
            jobs_by_future = {workers.ask(job): job for job in waiting}
            waiting = []
            failed = []
            for future in as_completed(jobs_by_future):
                job = jobs_by_future[future]
                if error := _describe_failure(future):
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


def _describe_failure(future: Future[str]) -> str:
    """Return why a page could not be made, or nothing."""
    try:
        return future.result()
    except ExceededError as error:
        return str(error)
    except UnicodeEncodeError:
        return "a name in it is not Unicode text"
    except WorkerError as error:
        raise PageError(str(error)) from error


def _make_page(outlines: dict[str, Outline], job: PageJob) -> str:
    """Make a page and its notebook in a worker; return why not, or nothing."""
    try:
        feedback = Feedback(job.graded, outlines[job.graded.notebook])
        notebook = json.dumps(feedback.notebook(), ensure_ascii=False, indent=1)
        write_file(notebook_of(job.page), notebook)
        write_file(job.page, feedback.page(job.key))  # last: it has the key
    except MemoryError:
        raise
    except Exception as failure:  # whatever is in the page, only this page fails
        return f"{type(failure).__name__}: {failure}"
    return ""


if __name__ == "__main__":
    serve(_make_page, dict[str, Outline], PageJob)
