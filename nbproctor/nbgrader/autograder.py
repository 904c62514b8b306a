"""Autograder of nbgrader, with executions that run in parallel in other processes.

nbgrader's loop over the class is unchanged. It reads repaired submissions from a
staging folder instead of ``submitted/``, and waits for a report instead of starting a
kernel. What it makes of one is moved to its place at once, or is thrown away.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

from nbformat import NotebookNode, from_dict, writes
from nbgrader.converters import Autograde
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.nbgraderformat import SchemaTooNewError, SchemaTooOldError
from nbgrader.utils import setenv

from nbproctor.nbgrader.course import Course
from nbproctor.nbgrader.decision import Decisions, MarkChange
from nbproctor.nbgrader.failures import CourseError, StopRun, of_the_computer
from nbproctor.nbgrader.gradebook import SharedGradebook, check_gradebook, one_gradebook
from nbproctor.nbgrader.lock import course_lock, grading_log
from nbproctor.nbgrader.options import Nbproctor, RunOptions
from nbproctor.nbgrader.prefetch import Prefetch, Submission, student_cells
from nbproctor.nbgrader.run import Run, executor
from nbproctor.nbgrader.steps import use_own_steps
from nbproctor.nbgrader.submitted import handed_in, unread
from nbproctor.results import FILE, Report, SubmissionResult
from nbproctor.submission.reading import readers

STAGING = ".nbproctor-staging-"
log = logging.getLogger(__name__)


class ProctoredAutograde(Autograde):  # type: ignore[misc]
    """`Autograde` that repairs first, and executes in the sandbox before its loop asks.

    nbgrader calls, in this order::

        start
          init_notebooks                 every submission is listed
          for each submission:
            init_destination             read, repaired, staged; or done already
            init_assignment              a transaction; rows of student and submission
            convert_single_notebook      for each notebook, twice through its pipeline;
                                         `Execute` asks for the `report`
            run_post_convert_hook        status and remarks; if it stands: committed,
                                         moved to its place, ``grading.json``
    """

    #: Called with the result of each submission as soon as it is known.
    on_result: Callable[[SubmissionResult], None] | None = None
    #: The course, if it has been read already.
    course: Course | None = None
    #: What is asked of this run; nbgrader's own command lowers marks, too.
    options = RunOptions(lower=True)

    def start(self) -> None:
        """Grade every submission that is new or has changed (all with ``force``)."""
        graded = Path(self.coursedir.root, self.coursedir.autograded_directory)
        doing = f"grading {self.coursedir.assignment_id!r}"
        self.changes: list[MarkChange] = []
        self._ungradable: list[str] = []
        try:
            if not Nbproctor(parent=self).enabled:
                raise CourseError(
                    "nbgrader_config.py asks for nbproctor, but did not run to "
                    "proctor(c): its error stands above. Nothing is graded without the "
                    "sandbox."
                )
            use_own_steps(self)
            with course_lock(Path(self.coursedir.root), doing), grading_log(graded):
                self._grade_class()
            if self._ungradable and self.on_result is None:
                raise CourseError(
                    f"Not graded: {', '.join(self._ungradable)}. The reasons stand "
                    f"above, and in grading.json in each student's folder."
                )
        except StopRun as stop:
            self._refuse(stop.error)
        except Exception as error:
            told = error if isinstance(error, CourseError) else of_the_computer(error)
            if told is None:
                raise
            self._refuse(told)

    def _refuse(self, error: Exception) -> NoReturn:
        """End the run in nbgrader's way, with a sentence and status 1."""
        log.error("%s", error)
        self.log.error("%s", error)
        raise NbGraderException(str(error)) from error

    def _grade_class(self) -> None:
        options, view = Nbproctor(parent=self), self.coursedir
        course, assignment = self.course or Course.of(self), view.assignment_id
        keep = self.exclude_overwriting.get(assignment, [])
        run = self._run = Run(course, assignment, options, self.force, keep)
        self._autograded = view.autograded_directory
        self._at: Submission | None = None  # where nbgrader's loop is
        # Those that raised an exception, with it; reported after the loop.
        self._failed: list[tuple[Submission, Exception]] = []
        with course.gradebook() as book:
            check_gradebook(book, run.masters)
            run.marks = course.marks(assignment)
            run.folders = handed_in(course, assignment, self.options.students)
            if not self.create_student:
                self._leave_out_strangers(book)
            for each in unread(course, assignment):
                self.log.warning("%s", each)
            with (
                one_gradebook(book),
                staging_folders(view),
                executor(view, options, self.force) as pool,
            ):
                run.place_tests(pool)
                # In the order of nbgrader's loop, which goes by path.
                ordered = sorted(run.folders, key=self._source)
                decisions = Decisions(run, book, self.options.lower, self._tell)
                self._decisions, self.changes = decisions, decisions.changes
                with (
                    contextlib.closing(decisions),
                    readers(run.masters, run.notebooks) as workers,
                ):
                    spare = self.options.spare
                    self._prefetch = Prefetch(run, ordered, pool, workers, spare)
                    self._convert()

    def _leave_out_strangers(self, book: SharedGradebook) -> None:
        enrolled = {student.id for student in book.students}
        reason = (
            "The gradebook has no such student, and c.Autograde.create_student is "
            "False."
        )
        for student in sorted(self._run.folders.keys() - enrolled):
            del self._run.folders[student]
            self._tell(SubmissionResult(student, "ungradable", reason, None, 0.0))

    def _convert(self) -> None:
        """Let nbgrader go through the class, then give up what failed on the way."""
        try:
            super().start()
        except NbGraderException:
            # nbgrader's loop ends so when submissions failed one by one.
            if not self._failed:
                raise
        for submission, error in self._failed:
            reason = f"It could not be processed: {error}"
            submission.reasons = {m.notebook: reason for m in self._run.masters}
            submission.try_again = True  # it may not be at fault
            self._decisions.give_up(submission)

    def _source(self, student: str) -> str:
        return str(self._format_source(self.coursedir.assignment_id, student))

    # nbgrader's loop, step by step --------------------------------------------------

    def init_notebooks(self) -> None:
        """List every submission; which file is the notebook is not known yet."""
        self.notebooks: list[str] = []
        self.assignments: dict[str, list[str]] = {
            self._source(student): [] for student in self._run.folders
        }

    def init_destination(self, assignment_id: str, student_id: str) -> bool:
        """Stage the submission, or finish with it here if there is nothing to grade."""
        with self._noticing():
            submission = self._at = self._prefetch.take(student_id)
            if submission.done:
                self._tell(submission.done)
            elif not submission.repaired:
                self._decisions.give_up(submission)
            else:
                for _, future in submission.running.values():
                    future.result()  # now: nobody waits for the gradebook meanwhile
                staged = Path(self._source(submission.student))
                dated = submission.timestamp(self.coursedir) is not None
                submission.stage(staged, dated, self._run.notebooks)
                shutil.rmtree(self._destination(submission.student), ignore_errors=True)
                names = sorted(submission.repaired)
                self.notebooks = [str(staged / f"{name}.ipynb") for name in names]
                return True
            return False

    def init_assignment(self, assignment_id: str, student_id: str) -> None:
        """Do as nbgrader does, in a transaction of the gradebook."""
        with self._noticing():
            self._decisions.begin(self._current)
            super().init_assignment(assignment_id, student_id)

    def convert_single_notebook(self, notebook_filename: str) -> None:
        """Take a notebook through both of nbgrader's pipelines, and notice failures.

        nbgrader writes, validates and reads it again between the two.
        """
        path = Path(notebook_filename)
        graded = self._destination(self._current.student)
        notebook = from_dict(self._current.repaired[path.stem].notebook)
        with self._noticing(), setenv(NBGRADER_EXECUTION="autograde"):
            notebook, _ = self._take_through(notebook, path)
            self._sanitizing = False
            try:
                notebook, resources = self._take_through(notebook, graded / path.name)
            finally:
                self._sanitizing = True
            self.write_single_notebook(f"{writes(notebook)}\n", resources)

    def _take_through(
        self, notebook: NotebookNode, path: Path
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Take a notebook through nbgrader's steps before, or after, its execution."""
        told = self.init_single_notebook_resources(str(path))
        told["metadata"] = {"name": path.stem, "path": str(path.parent)}
        resources: dict[str, Any] = self.exporter._init_resources(told)
        self._init_preprocessors()
        for step in self.exporter._preprocessors:
            notebook, resources = step(notebook, resources)
        return notebook, resources

    def report(self, notebook: str, nb: NotebookNode) -> Report:
        """Return what executing `nb` gave, executing it now if it is not what ran."""
        submission = self._current
        sent, future = submission.running[notebook]
        if student_cells(nb.cells) != sent:  # a preprocessor of this course changed it
            master = next(m for m in self._run.masters if m.notebook == notebook)
            future = self._prefetch.execute(submission, master, nb.cells)
        report = submission.reports[notebook] = future.result()
        return report

    def set_permissions(self, assignment_id: str, student_id: str) -> None:
        """Wait until the files are in their place."""

    def run_post_convert_hook(self) -> None:
        """Decide, and write down how it ended; only then is the submission done."""
        submission, run = self._current, self._run
        student = submission.student
        with self._noticing():
            if (result := self._decisions.stands(submission)) is not None:
                staged = self._destination(student)
                publish(staged, run.graded_folder(student), run.all_notebooks)
                with in_place(self.coursedir, self._autograded):
                    super().set_permissions(run.assignment, student)
                    super().run_post_convert_hook()
                self._decisions.write(submission, result)
        for folder in (self._source(student), self._destination(student)):
            shutil.rmtree(folder, ignore_errors=True)

    @property
    def _current(self) -> Submission:
        assert self._at is not None
        return self._at

    @contextlib.contextmanager
    def _noticing(self) -> Iterator[None]:
        """Stop the run for a failure of the computer; remember one of a submission."""
        try:
            yield
        except (SchemaTooOldError, SchemaTooNewError):
            raise  # nobody's submission: nbgrader stops, and says what to do
        except Exception as error:
            if (stop := of_the_computer(error)) is not None:
                raise StopRun(stop) from error
            self._decisions.close()
            if self._at is not None:
                self._failed.append((self._at, error))
                log.error("%s failed: %r", self._at.student, error)
            raise

    def _destination(self, student: str) -> Path:
        return Path(self._format_dest(self.coursedir.assignment_id, student))

    def _tell(self, result: SubmissionResult) -> None:
        """Report the result of a submission to the log and to who asked for it."""
        write = self.log.info
        if result.status == "ungradable":
            self._ungradable.append(result.student)
            write = self.log.error
        write("%s: %s. %s", result.student, result.status, result.reason)
        if self.on_result:
            self.on_result(result)


@contextlib.contextmanager
def staging_folders(view: CourseDirectory) -> Iterator[None]:
    """Make `view` name new folders in the course as submitted and autograded."""
    root = Path(view.root)
    for left in root.glob(f"{STAGING}*"):  # by a run that was killed
        shutil.rmtree(left, ignore_errors=True)
    before = view.submitted_directory, view.autograded_directory
    with tempfile.TemporaryDirectory(prefix=STAGING, dir=root) as folder:
        view.submitted_directory = f"{Path(folder).name}/submitted"
        view.autograded_directory = f"{Path(folder).name}/autograded"
        try:
            yield
        finally:
            view.submitted_directory, view.autograded_directory = before


@contextlib.contextmanager
def in_place(view: CourseDirectory, autograded: str) -> Iterator[None]:
    """Let nbgrader find what it made where it is now."""
    staged, view.autograded_directory = view.autograded_directory, autograded
    try:
        yield
    finally:
        view.autograded_directory = staged


def publish(staged: Path, graded: Path, all_notebooks: bool) -> None:
    """Move what was made of a submission to its place.

    With `all_notebooks` it takes the place of the folder, else of the same files in it.
    Without ``grading.json``, which is taken away first, it counts as not graded.
    """
    (graded / FILE).unlink(missing_ok=True)
    if all_notebooks:
        shutil.rmtree(graded, ignore_errors=True)
    for path in [path for path in staged.rglob("*") if path.is_file()]:
        place = graded / path.relative_to(staged)
        place.parent.mkdir(parents=True, exist_ok=True)
        path.replace(place)
