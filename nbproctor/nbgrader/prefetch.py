"""Prefetch: submissions are read, repaired and executing before nbgrader asks."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbgrader.coursedir import CourseDirectory

from nbproctor.engine import MAX_FILES_BYTES, Executor, NotGradedError
from nbproctor.nbgrader.failures import of_the_computer
from nbproctor.notebook import MasterNotebook
from nbproctor.results import FILE, Report, StudentCell, SubmissionResult
from nbproctor.submission import files
from nbproctor.submission.repair import Repaired, Ungradable, repair

if TYPE_CHECKING:
    from nbproctor.nbgrader.run import Run

Cells = list[StudentCell]
MAX_FILES_BESIDE = 2_000
MAX_DATE = 1000  # bytes
_OURS = {FILE, f".{FILE}", "timestamp.txt"}


@dataclass
class Submission:
    """One student's submission, on its way from the files to the reports."""

    student: str
    folder: Path  # of the files that were handed in
    fingerprint: str = ""  # of these files
    # By the name of a notebook: what will be graded, or why nothing can be; what is
    # being executed, and the report to come; the report that was used.
    repaired: dict[str, Repaired] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    running: dict[str, tuple[Cells, Future[Report]]] = field(default_factory=dict)
    reports: dict[str, Report] = field(default_factory=dict)
    # What lies beside the notebook: place there → real path.
    files: dict[Path, Path] = field(default_factory=dict)
    done: SubmissionResult | None = None  # graded already, exactly so
    waits: bool = False  # a shard has yet to grade it, and nothing is executed here
    again: bool = False  # to be graded again by the next run, though it is the same

    @property
    def handed_in(self) -> str:
        """What ``grading.json`` says of the files."""
        return "" if self.again else self.fingerprint

    def timestamp(self, view: CourseDirectory) -> datetime | None:
        """Return when it was handed in, or None if no readable file says so."""
        path = self.folder / "timestamp.txt"
        # A link leads elsewhere, and reading a pipe would wait forever.
        if path.is_symlink() or not path.is_file() or path.stat().st_size > MAX_DATE:
            return None
        try:
            when: datetime | None = view.get_existing_timestamp(str(self.folder))
        except (AttributeError, ValueError, OverflowError, OSError):
            # For what is no date, nbgrader 0.9 calls a method that it does not have.
            return None
        return when

    def notes(self) -> dict[str, list[str]]:
        """Return what the student should know: notebook name → sentences."""
        told = {
            name: [*repaired.notes, *self.reports[name].notes]
            for name, repaired in self.repaired.items()
            if name in self.reports
        }
        return told | {name: [why] for name, why in self.reasons.items()}

    def stage(self, staged: Path, dated: bool, notebooks: Collection[str]) -> None:
        """Lay out a folder from which nbgrader reads the submission.

        It only asks whether there are `notebooks`: those that are not give it zeros.
        """
        shutil.rmtree(staged, ignore_errors=True)
        staged.mkdir(parents=True)
        links = dict(self.files)
        if dated:
            links[Path("timestamp.txt")] = self.folder / "timestamp.txt"
        for place, path in links.items():
            (staged / place).parent.mkdir(parents=True, exist_ok=True)
            # A link to the student's own file; nbgrader copies it.
            (staged / place).symlink_to(path.resolve())
        for name in notebooks:
            (staged / f"{name}.ipynb").touch()


class Prefetch:
    """Prepares submissions in the order in which they will be asked for.

    `order` are the students, in that order; executions run in `pool`.
    """

    def __init__(self, run: Run, order: Iterable[str], pool: Executor) -> None:
        self._following = iter([(student, run.folders[student]) for student in order])
        self._run = run
        self._pool = pool
        self._waiting: dict[str, Submission] = {}
        for master in run.masters[:1]:
            pool.prepare(master, run.settings)

    def take(self, student: str) -> Submission:
        """Return the submission of `student`, preparing more on the way."""
        # It bounds the memory used. Twice what is executed at once: no worker of a
        # cluster waits for the next.
        depth = max(self._run.options.prefetch, 2 * self._pool.width)
        while student not in self._waiting or len(self._waiting) < depth:
            following = next(self._following, None)
            if following is None:
                break
            self._waiting[following[0]] = self._prepare(*following)
        return self._waiting.pop(student)

    def _prepare(self, student: str, folder: Path) -> Submission:
        submission = Submission(student, folder)
        try:
            submission.fingerprint = files.fingerprint(folder)
            submission.done = self._run.done(submission)
            if submission.done:
                return submission
            for master in self._run.masters:
                others = self._run.notebooks - {master.notebook}
                try:
                    repaired = repair(folder, master, others)
                except Ungradable as failure:
                    submission.reasons[master.notebook] = str(failure)
                else:
                    submission.repaired[master.notebook] = repaired
            self._keep_files(submission)
            for master in self._run.masters:
                if master.notebook in submission.repaired:
                    repaired = submission.repaired[master.notebook]
                    self.execute(submission, master, repaired.notebook["cells"])
        except Ungradable as failure:
            self._refuse(submission, str(failure))
        except NotGradedError:
            submission.waits = True
        except Exception as error:
            stop = of_the_computer(error)
            if stop is not None and not isinstance(error, PermissionError):
                raise
            # Whatever is in a student's files, it must not end the class.
            self._refuse(submission, f"It could not be read ({error!r}).")
        return submission

    def _refuse(self, submission: Submission, reason: str) -> None:
        submission.repaired.clear()
        submission.reasons = {master.notebook: reason for master in self._run.masters}

    def _keep_files(self, submission: Submission) -> None:
        """Find what lies beside the notebook, without what the course puts there."""
        if not submission.repaired:
            return
        first = next(iter(submission.repaired.values()))
        base = first.path.parent
        assignment_files = {Path(name) for name, _ in self._run.settings.policy.files}
        reserved = _OURS | {f"{master.notebook}.html" for master in self._run.masters}
        left, dropped = MAX_FILES_BYTES, []
        for path in files.files(base):
            place = path.relative_to(base)
            own = assignment_files.isdisjoint((place, *place.parents))
            if path.suffix == ".ipynb" or place.parts[0] in reserved or not own:
                continue
            size = path.stat().st_size
            if size < left and len(submission.files) < MAX_FILES_BESIDE:
                left -= size
                submission.files[place] = path
            else:
                dropped.append(files.readable(place))
        if dropped:
            limit = MAX_FILES_BYTES >> 20
            first.notes.append(
                f"Files beside your notebook beyond {limit} MB were left out, or more "
                f"than {MAX_FILES_BESIDE:,}: {', '.join(dropped[:3])}."
            )

    def execute(
        self, submission: Submission, master: MasterNotebook, cells: Sequence[Any]
    ) -> Future[Report]:
        """Start an execution of a submission's notebook."""
        code = student_cells(cells)
        beside = {str(place): p.read_bytes() for place, p in submission.files.items()}
        future = self._pool.execute(code, master, self._run.settings, beside)
        submission.running[master.notebook] = code, future
        return future


def student_cells(cells: Sequence[Any]) -> Cells:
    """Return the code of a notebook as the engine takes it."""
    found = []
    for index, cell in enumerate(cells):
        if cell["cell_type"] == "code":
            grader = cell["metadata"].get("nbgrader") or {}
            name = grader.get("grade_id") or cell.get("id")
            found.append(StudentCell(index, name, cell["source"]))
    return found
