"""Prefetch: submissions are read, repaired and executing before nbgrader asks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from nbproctor.engine import MAX_FILES_BYTES, Execution, Executor
from nbproctor.nbgrader.failures import as_computer_error
from nbproctor.nbgrader.run import Run
from nbproctor.nbgrader.submitted import submission_time
from nbproctor.results import FILE, Report, StudentCell, SubmissionResult
from nbproctor.sandbox.workers import ExceededError, OverdueError, Workers
from nbproctor.sanitize import quote
from nbproctor.submission.border import TIMESTAMP_FILE, StudentFile, walk
from nbproctor.submission.files import list_few
from nbproctor.submission.reading import OVERDUE, TOO_MUCH, ReadRequest, ReadSubmission
from nbproctor.submission.repair import student_cells

MAX_FILES_BESIDE = 2_000
AHEAD = 32  # submissions prepared before nbgrader asks, at least
RESERVED_FILES = {FILE, f".{FILE}", TIMESTAMP_FILE}


@dataclass(kw_only=True)
class Submission(ReadSubmission):
    """One student's submission, on its way from the files to the reports."""

    student: str
    folder: Path  # of the files that were submitted
    # By the name of a notebook: what is being executed, and the report to come; the
    # report that was used.
    running: dict[str, tuple[list[StudentCell], Future[Report]]] = field(
        default_factory=dict
    )
    reports: dict[str, Report] = field(default_factory=dict)
    # What lies next to the notebook, by its place there.
    files: dict[Path, StudentFile] = field(default_factory=dict)
    # It stands if the same files are submitted now; None if they are not.
    reusable_result: SubmissionResult | None
    try_again: bool = False  # in the next run, though it is the same

    def refuse(self, notebooks: Iterable[str], reason: str) -> None:
        """Say why nothing of these notebooks, which are all, can be graded."""
        self.repaired.clear()
        self.reasons = dict.fromkeys(notebooks, reason)

    def notes(self) -> dict[str, list[str]]:
        """Return what the student should know: notebook name → sentences."""
        notes = {}
        for name, repaired in self.repaired.items():
            report = self.reports.get(name)
            if report:
                notes[name] = [*repaired.notes, *report.notes]
                for test, reason in not_run(report).items():
                    notes[name].append(f"{test}: {reason}")
        for name, reason in self.reasons.items():
            notes[name] = [reason]
        return notes

    def stage(self, staged: Path, notebooks: Collection[str]) -> None:
        """Lay out a folder from which nbgrader reads the submission.

        It only asks whether there are `notebooks`: those that are not give it zeros.
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

    A broken test, or one for which no time was left: nothing is graded with it.
    """
    return {
        verdict.cell_id: verdict.message
        for verdict in report.verdicts
        if verdict.outcome == "not run" and verdict.max_points
    }


class Prefetch:
    """Submissions of a run, in its order; more are read and executed meanwhile.

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
        for master in [*run.masters.values()][:1]:
            pool.prepare(master, run.settings)

    def __iter__(self) -> Iterator[Submission]:
        # It bounds the memory used. Twice what is executed at once: no worker of a
        # cluster waits for the next.
        busy = 2 * self._pool.concurrency
        students = iter(self._run.folders)
        for student in self._run.folders:
            ahead = max(AHEAD, busy) - len(self._reading) - len(self._waiting)
            for following in islice(students, ahead):
                self._read(following)
            # Whoever is read slowly holds nobody up while others can be executed.
            while student not in self._waiting or (
                self._reading and len(self._waiting) < busy
            ):
                wait(self._reading, return_when=FIRST_COMPLETED)
                self._execute_read()
            self._execute_read()
            yield self._waiting.pop(student)

    def _read(self, student: str) -> None:
        """Have a submission read, unless it is still the same."""
        folder = self._run.folders[student]
        earlier = self._run.reusable_result(student)
        graded = earlier.handed_in if earlier else ""
        future = self._readers.ask(ReadRequest(folder, graded))
        self._reading[future] = Submission(
            student=student,
            folder=folder,
            reusable_result=earlier,
        )

    def _execute_read(self) -> None:
        """Start the executions of what has been read by now."""
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
            self._keep_files(submission)
            for name in self._run.masters:
                if repaired := submission.repaired.get(name):
                    self.execute(submission, name, repaired.notebook["cells"])
        except ExceededError as error:
            self._refuse_unread(submission, error)
        except Exception as error:
            if as_computer_error(error) and not isinstance(error, PermissionError):
                raise
            # Whatever is in a student's files, it must not end the class.
            reason = f"The submission could not be read ({type(error).__name__})."
            submission.refuse(self._run.masters, reason)

    def _refuse_unread(self, submission: Submission, error: ExceededError) -> None:
        """Refuse what takes too much to be read; a mark for the same files stays."""
        with suppress(ExceededError):
            request = ReadRequest(submission.folder, read_notebooks=False)
            submission.fingerprint = self._readers.ask(request).result().fingerprint
        reason = OVERDUE if isinstance(error, OverdueError) else TOO_MUCH
        submission.refuse(self._run.masters, reason)
        submission.try_again = True  # on another day this computer may be faster

    def _keep_files(self, submission: Submission) -> None:
        """Find what lies next to the notebook, without what the course puts there."""
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
            if path in folders or not handed_out.isdisjoint((path, *path.parents)):
                continue
            if not file.is_readable:
                continue  # which the reader has said
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
