"""nbgrader's autograder, with executions that run elsewhere, in parallel.

nbgrader's loop over the class stays as it is: what it would read from ``submitted/``
it reads, repaired, from a staging folder, and where it would start a kernel it waits
for a finished report.
"""

from __future__ import annotations

import contextlib
import fnmatch
import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from pathlib import Path

from nbformat import NotebookNode
from nbgrader.converters import Autograde
from nbgrader.converters.base import NbGraderException
from nbgrader.nbgraderformat import SchemaTooNewError, SchemaTooOldError
from sqlalchemy.exc import OperationalError
from traitlets import Bool, Float, Integer

from nbproctor import engine, support_files
from nbproctor.engine import EngineError, Report, Settings
from nbproctor.nbgrader import gradebook
from nbproctor.nbgrader.course import folder, handed_in, master_notebooks
from nbproctor.nbgrader.feedback import forget
from nbproctor.nbgrader.prefetch import Ahead, Submission, student_cells
from nbproctor.nbgrader.preprocessors import Execute
from nbproctor.nbgrader.source import CourseError
from nbproctor.nbgrader.status import finish, give_up, no_room, timestamp
from nbproctor.pool import Pool
from nbproctor.results import Limits
from nbproctor.sandbox.layers import Policy
from nbproctor.submission_result import FILE, SubmissionResult

STAGING = ".nbproctor-"


class ProctoredAutograde(Autograde):  # type: ignore[misc]
    """`Autograde` that repairs first and executes in the sandbox, ahead of its loop."""

    follow_through = Bool(
        True, help="Grade a failed exercise again among correct others."
    ).tag(config=True)
    call_seconds = Float(10.0, help="Time for a call of a function.").tag(config=True)
    cell_seconds = Float(60.0, help="Time for a cell.").tag(config=True)
    submission_seconds = Float(300.0, help="Time for a notebook.").tag(config=True)
    weak_sandbox = Bool(
        False, help="Grade even where layers of the sandbox are missing."
    ).tag(config=True)
    workers = Integer(
        0, help="Submissions executed at once; 0: as many as there are processors."
    ).tag(config=True)
    ahead = Integer(32, help="Submissions prepared ahead of the loop.").tag(config=True)

    #: Called with the result of each submission as soon as it is known.
    on_result: Callable[[SubmissionResult], None] | None = None
    #: Grade only these; all that ``CourseDirectory.student_id`` matches if None.
    only: Collection[str] | None = None

    # The run -----------------------------------------------------------------------

    def start(self) -> None:
        """Grade every submission that is new or has changed (all with ``force``)."""
        if Execute not in self.autograde_preprocessors:
            super().start()
            return
        try:
            self._run()
        except (CourseError, EngineError) as error:
            self.log.error("%s", error)
            raise NbGraderException(str(error)) from error

    def _run(self) -> None:
        there = self.coursedir
        found = master_notebooks(there, there.assignment_id)
        self._masters = [
            master
            for master in found
            if fnmatch.fnmatch(master.notebook, there.notebook_id)
        ]
        gradebook.check_release(there, self._masters)
        folders = handed_in(there, self.only)
        self._failed: list[tuple[Submission, Exception]] = []
        self._no_room: Exception | None = None
        with self._staging(), Pool(self.workers or None) as pool:
            # In the order of nbgrader's loop, which goes by path.
            self._handed_in = dict(
                sorted(folders.items(), key=lambda item: self._source(item[0]))
            )
            settings = self._settings()
            self._graded_with = [b.digest for b in self._masters] + [settings.digest()]
            with gradebook.open_gradebook(there) as book:
                self._recorded = gradebook.recorded(book, there.assignment_id)
            for master in self._masters[:1]:
                # If nothing can be executed here, what was graded before is kept.
                pool.submit(engine.prepare, master, settings).result()
            self._ahead = Ahead(
                self._handed_in,
                self._masters,
                settings,
                pool,
                self.ahead,
                self._done,
            )
            try:
                super().start()
            except NbGraderException:
                # nbgrader's loop ends so when submissions failed one by one, but also
                # when the gradebook or the course is at fault.
                if not (self._failed or self._no_room):
                    raise
            if self._no_room:
                raise CourseError(
                    f"There is no room to write results ({self._no_room}). Nothing is "
                    "lost: make room, then give the same command again."
                )
            for submission, error in self._failed:
                if isinstance(error, EngineError):
                    raise error
                reason = f"It could not be processed: {error}"
                submission.reasons = {b.notebook: reason for b in self._masters}
                submission.handed_in = ""  # it may not be at fault: tried again
                self._give_up(submission)

    def _source(self, student: str) -> str:
        return str(self._format_source(self.coursedir.assignment_id, student))

    def _settings(self) -> Settings:
        """Return how to execute; the assignment's own files are in every folder."""
        assignment = self.coursedir.assignment_id
        source = folder(self.coursedir, "source", assignment)
        data = next((b.data for b in self._masters if b.data), None)
        files = support_files.files(source, data, self.coursedir.ignore)
        for name in self.exclude_overwriting.get(assignment, []):
            files.pop(os.path.normpath(name), None)
        return Settings(
            Limits(self.call_seconds, self.cell_seconds, self.submission_seconds),
            Policy(files=tuple(files.items()), weak=self.weak_sandbox),
            self.follow_through,
        )

    @contextlib.contextmanager
    def _staging(self) -> Iterator[None]:
        """Let nbgrader read submissions from a folder of ours inside the course."""
        root = Path(self.coursedir.root)
        for left in root.glob(f"{STAGING}*"):  # by a run that was killed
            owner = left.name.removeprefix(STAGING).split("-")[0]
            if owner.isdigit() and not _alive(int(owner)):
                shutil.rmtree(left, ignore_errors=True)
        submitted = self.coursedir.submitted_directory
        prefix = f"{STAGING}{os.getpid()}-"
        with tempfile.TemporaryDirectory(prefix=prefix, dir=root) as name:
            self.coursedir.submitted_directory = Path(name).name
            try:
                yield
            finally:
                self.coursedir.submitted_directory = submitted

    # nbgrader's loop, step by step --------------------------------------------------

    def init_notebooks(self) -> None:
        """List every submission; which file is the notebook is not known yet."""
        self.notebooks: list[str] = []
        self.assignments: dict[str, list[str]] = {
            self._source(student): [] for student in self._handed_in
        }

    def init_destination(self, assignment_id: str, student_id: str) -> bool:
        """Stage the submission, or finish with it here if there is nothing to grade."""
        if self._no_room:
            return False  # whoever is left is graded by the next run
        submission = self._current = self._ahead.take(student_id)
        with self._remember():
            return self._stage(submission)

    def _stage(self, submission: Submission) -> bool:
        if done := self._done(submission):
            self._tell(done)
            return False
        if not submission.repaired:
            self._give_up(submission)
            return False
        self._clear(submission.student)
        staged = Path(self._source(submission.student))
        submission.stage(
            staged, dated=timestamp(self.coursedir, submission) is not None
        )
        names = sorted(submission.repaired)
        self.notebooks = [str(staged / f"{name}.ipynb") for name in names]
        return True

    def init_assignment(self, assignment_id: str, student_id: str) -> None:
        """Do as nbgrader does, and remember what went wrong."""
        with self._remember():
            super().init_assignment(assignment_id, student_id)

    def convert_single_notebook(self, notebook_filename: str) -> None:
        """Do as nbgrader does, and remember what went wrong."""
        with self._remember():
            super().convert_single_notebook(notebook_filename)

    def run_post_convert_hook(self) -> None:
        """Write down how it ended; only then is the submission done."""
        super().run_post_convert_hook()
        with self._remember():
            self._write(self._current, finish(self.coursedir, self._current))
        shutil.rmtree(self._source(self._current.student), ignore_errors=True)

    def report(self, notebook: str, nb: NotebookNode) -> Report:
        """Return what executing `nb` gave, executing it now if it is not what ran."""
        sent, future = self._current.running[notebook]
        if student_cells(nb.cells) != sent:  # a preprocessor of this course changed it
            master = next(b for b in self._masters if b.notebook == notebook)
            future = self._ahead.execute(self._current, master, nb.cells)
        report = self._current.reports[notebook] = future.result()
        return report

    @contextlib.contextmanager
    def _remember(self) -> Iterator[None]:
        try:
            yield
        except (SchemaTooOldError, SchemaTooNewError):
            raise  # nobody's submission: nbgrader stops, and says what to do
        except Exception as error:
            if no_room(error):
                self._no_room = getattr(error, "orig", error)  # SQLite's own words
            elif not isinstance(error, OperationalError):  # another of those
                self._failed.append((self._current, error))
            raise

    # The end of a submission --------------------------------------------------------

    def _done(self, submission: Submission) -> SubmissionResult | None:
        """Return the result of exactly this submission, graded exactly so."""
        known = SubmissionResult.read(self._destination(submission.student))
        same = (
            known is not None
            and not self.force
            and known.handed_in == submission.handed_in
            and known.graded_with == self._graded_with
            and known.scores() <= self._recorded.get(submission.student, set())
        )
        return known if same else None

    def _destination(self, student: str) -> Path:
        return Path(self._format_dest(self.coursedir.assignment_id, student))

    def _clear(self, student: str) -> None:
        """Remove what an earlier, or an interrupted, run left."""
        place = self._destination(student)
        if self.coursedir.notebook_id == "*":
            shutil.rmtree(place, ignore_errors=True)
        notebooks = [master.notebook for master in self._masters]
        for name in [FILE, *(f"{notebook}.ipynb" for notebook in notebooks)]:
            (place / name).unlink(missing_ok=True)
        forget(self.coursedir, student, notebooks)

    def _give_up(self, submission: Submission) -> None:
        """Record that nothing of a submission can be graded, and why."""
        self._clear(submission.student)
        self._write(submission, give_up(self.coursedir, submission))

    def _write(self, submission: Submission, result: SubmissionResult) -> None:
        result = replace(
            result,
            notes=submission.notes(),
            verdicts={name: r.verdicts for name, r in submission.reports.items()},
            handed_in=submission.handed_in,
            graded_with=self._graded_with,
            seconds={name: r.seconds for name, r in submission.reports.items()},
        )
        result.write(self._destination(submission.student))
        self._tell(result)

    def _tell(self, result: SubmissionResult) -> None:
        log = self.log.error if result.status == "ungradable" else self.log.info
        log("%s: %s. %s", result.student, result.status, result.reason)
        if self.on_result:
            self.on_result(result)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
