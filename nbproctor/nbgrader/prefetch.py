"""Prefetch: read, repair and execute submissions before nbgrader needs them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from nbproctor.cells import list_few
from nbproctor.engine import Execution, Executor
from nbproctor.nbgrader.failures import as_computer_error
from nbproctor.nbgrader.run import Run
from nbproctor.nbgrader.submitted import submission_time
from nbproctor.results import FILE, Report, StudentCell, SubmissionResult
from nbproctor.sandbox.workers import ExceededError, OverdueError, Workers
from nbproctor.sanitize import quote
from nbproctor.submission.border import TIMESTAMP_FILE, StudentFile, walk
from nbproctor.submission.reading import OVERDUE, TOO_MUCH, ReadRequest, ReadSubmission
from nbproctor.submission.repair import student_cells

# Of the files next to a notebook.
MAX_FILES_BESIDE = 2_000
MAX_FILES_BYTES = 16 << 20
AHEAD = 32  # submissions that are prepared in advance, at least
RESERVED_FILES = {FILE, f".{FILE}", TIMESTAMP_FILE}


@dataclass(kw_only=True)
class Submission(ReadSubmission):
    """One student's submission, on its way from the files to the reports."""

    student: str
    folder: Path  # of the submitted files
    # Notebook name → what is executed, and its future report; the report that was used.
    running: dict[str, tuple[list[StudentCell], Future[Report]]] = field(
        default_factory=dict
    )
    reports: dict[str, Report] = field(default_factory=dict)
    # Files next to the notebook, by relative path.
    files: dict[Path, StudentFile] = field(default_factory=dict)
    # The earlier result, if the same files are submitted now; otherwise None.
    reusable_result: SubmissionResult | None
    try_again: bool = False  # grade it in the next run, too

    @property
    def unfinished(self) -> list[Future[Report]]:
        """Its executions that are still running, or waiting for a worker."""
        return [future for _, future in self.running.values() if not future.done()]

    def refuse(self, notebooks: Iterable[str], reason: str) -> None:
        """Refuse all notebooks of the submission, for this reason."""
        self.repaired.clear()
        self.reasons = dict.fromkeys(notebooks, reason)

    def notes(self) -> dict[str, list[str]]:
        """Return sentences for the student, each once: notebook name → sentences."""
        notes = {}
        for name, repaired in self.repaired.items():
            report = self.reports.get(name)
            if report:
                sentences = [*repaired.notes, *report.notes]
                tests_of: dict[str, list[str]] = {note: [] for note in sentences}
                for test, reason in not_run(report).items():
                    tests_of.setdefault(reason, []).append(test)
                notes[name] = [
                    f"{list_few(tests)}: {note}" if tests else note
                    for note, tests in tests_of.items()
                ]
        return notes | {name: [reason] for name, reason in self.reasons.items()}

    def stage(self, staged: Path, notebooks: Collection[str]) -> None:
        """Lay out a folder from which nbgrader reads the submission.

        It only checks whether `notebooks` exist: it gives zeros for missing ones.
        """
        staged.mkdir(parents=True)
        for path, file in self.files.items():
            file.copy(staged / path)
        if when := submission_time(self.folder):
            (staged / TIMESTAMP_FILE).write_text(f"{when} UTC", "utf-8")
        for name in notebooks:
            (staged / f"{name}.ipynb").touch()


def not_run(report: Report) -> dict[str, str]:
    """Return the tests that say nothing about the answer: test → why.

    These are broken tests, and tests for which no time was left. They are not graded.
    """
    return {
        verdict.cell_id: verdict.message
        for verdict in report.verdicts
        if verdict.outcome == "not run" and verdict.max_points
    }


class Prefetch:
    """Submissions of a run, each as soon as it is executed: a slow one delays no other.

    `workers` read what students submitted, and executions run in `pool`.
    """

    def __init__(
        self,
        run: Run,
        pool: Executor,
        workers: Workers[ReadSubmission],
    ) -> None:
        self._run = run
        self._pool = pool
        self._readers = workers
        self._reading: dict[Future[ReadSubmission], Submission] = {}
        self._waiting: dict[str, Submission] = {}
        self._earlier = {s: run.reusable_result(s) for s in run.folders}
        expected = list(self._earlier.values()).count(None)
        for master in [*run.masters.values()][:1]:
            pool.prepare(master, run.settings, expected)

    def __iter__(self) -> Iterator[Submission]:
        students = iter(self._run.folders)
        # A limit for memory; twice the number executed at once, so that no worker of a
        # cluster has to wait.
        limit = max(AHEAD, 2 * self._pool.concurrency)
        while True:
            ahead = limit - len(self._reading) - len(self._waiting)
            for student in islice(students, ahead):
                self._read(student)
            self._execute_read()
            unfinished: list[Future[Any]] = [*self._reading]
            for student, submission in self._waiting.items():
                if running := submission.unfinished:
                    unfinished += running
                else:
                    yield self._waiting.pop(student)
                    break
            else:
                if not unfinished:
                    return
                wait(unfinished, return_when=FIRST_COMPLETED)

    def _read(self, student: str) -> None:
        """Start reading a submission, unless it has not changed."""
        folder = self._run.folders[student]
        earlier = self._earlier[student]
        graded = earlier.handed_in if earlier else ""
        future = self._readers.ask(ReadRequest(folder, graded))
        self._reading[future] = Submission(
            student=student,
            folder=folder,
            reusable_result=earlier,
        )

    def _execute_read(self) -> None:
        """Execute the submissions that have been read."""
        for future in filter(Future.done, [*self._reading]):
            submission = self._reading.pop(future)
            self._prepare(submission, future)
            self._waiting[submission.student] = submission

    def _prepare(self, submission: Submission, future: Future[ReadSubmission]) -> None:
        earlier = submission.reusable_result
        submission.reusable_result = None
        try:
            vars(submission).update(vars(future.result()))
            if submission.failure:
                raise OSError(*submission.failure)
            if earlier and earlier.handed_in == submission.fingerprint:
                submission.reusable_result = earlier
                return
            self._collect_files(submission)
            for name in self._run.masters:
                if repaired := submission.repaired.get(name):
                    self.execute(submission, name, repaired.notebook["cells"])
        except ExceededError as error:
            self._refuse_unread(submission, error)
        except Exception as error:
            if as_computer_error(error) and not isinstance(error, PermissionError):
                raise
            # No content of a student's files may end the run for the class.
            reason = f"The submission could not be read ({type(error).__name__})."
            submission.refuse(self._run.masters, reason)

    def _refuse_unread(self, submission: Submission, error: ExceededError) -> None:
        """Refuse a submission that exceeds the limits; an earlier mark stays."""
        with suppress(ExceededError):
            request = ReadRequest(submission.folder, read_notebooks=False)
            submission.fingerprint = self._readers.ask(request).result().fingerprint
        reason = OVERDUE if isinstance(error, OverdueError) else TOO_MUCH
        submission.refuse(self._run.masters, reason)
        submission.try_again = True  # this computer may be faster another time

    def _collect_files(self, submission: Submission) -> None:
        """Collect the files next to the notebook, except the assignment's own."""
        if not submission.repaired:
            return
        first = next(iter(submission.repaired.values()))
        base = first.path.parent.relative_to(submission.folder)
        handed_out = {Path(name) for name, _ in self._run.settings.policy.files}
        folders = {parent for path in handed_out for parent in path.parents}
        reserved = RESERVED_FILES | {f"{name}.html" for name in self._run.masters}
        remaining = MAX_FILES_BYTES
        dropped = []
        for file in walk(submission.folder):
            if not file.relative_path.is_relative_to(base):
                continue
            path = file.relative_path.relative_to(base)
            if path.suffix == ".ipynb" or path.parts[0] in reserved:
                continue
            if path in folders or handed_out & {path, *path.parents}:
                continue
            if not file.is_readable:
                continue  # the reader has reported it
            if file.size < remaining and len(submission.files) < MAX_FILES_BESIDE:
                remaining -= file.size
                submission.files[path] = file
            else:
                dropped.append(quote(str(path)))
        if dropped:
            limit = MAX_FILES_BYTES >> 20
            first.notes.append(
                f"Besides the notebook, at most {MAX_FILES_BESIDE:,} files and "
                f"{limit} MB are used. Left out: {list_few(dropped)}."
            )

    def execute(
        self,
        submission: Submission,
        notebook: str,
        cells: Sequence[Any],
    ) -> Future[Report]:
        """Start an execution of a submission's notebook."""
        code = student_cells(cells)
        files = {str(path): file.read() for path, file in submission.files.items()}
        execution = Execution(
            cells=code,
            master=self._run.masters[notebook],
            settings=self._run.settings,
            files=files,
        )
        future = self._pool.execute(execution)
        submission.running[notebook] = code, future
        return future
