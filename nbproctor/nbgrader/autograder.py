"""nbgrader's autograder, with executions that run in parallel in other processes.

nbgrader's steps for each submission are unchanged. They read the repaired submission
from a staging folder instead of ``submitted/``, and wait for a report instead of
starting a kernel. The results of a submission are moved into the course together, or
thrown away.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from nbformat import NotebookNode, from_dict, writes
from nbgrader.converters import Autograde
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import setenv

from nbproctor.engine import ExecutionError, Pool
from nbproctor.nbgrader.course import Course
from nbproctor.nbgrader.decision import Decisions, MarkChange
from nbproctor.nbgrader.failures import (
    CourseError,
    as_computer_error,
    raise_nbgrader_errors,
)
from nbproctor.nbgrader.gradebook import check_gradebook
from nbproctor.nbgrader.lock import course_lock, grading_log
from nbproctor.nbgrader.options import Nbproctor, RunOptions
from nbproctor.nbgrader.people import enrol
from nbproctor.nbgrader.prefetch import Prefetch, Submission
from nbproctor.nbgrader.run import Run
from nbproctor.nbgrader.speed import share_gradebook
from nbproctor.nbgrader.steps import replace_preprocessors
from nbproctor.nbgrader.submitted import describe_unread, find_submissions
from nbproctor.platforms import Person
from nbproctor.results import Report, SubmissionResult
from nbproctor.submission.reading import readers
from nbproctor.submission.repair import student_cells

STAGING = ".nbproctor-staging-"
STRANGER = "the gradebook has no such student, and create_student is False"
log = logging.getLogger(__name__)


class ProctoredAutograde(Autograde):  # type: ignore[misc]
    """`Autograde` that repairs first; its `Execute` takes the outputs of a report."""

    #: Called with the result of each submission as soon as it is known.
    on_result: Callable[[SubmissionResult], None] | None = None
    #: The course, if it has been read already.
    course: Course | None = None
    #: The options of this run; nbgrader's own command may lower marks, too.
    options = RunOptions(allow_lower=True)
    #: Executes, and stays open afterwards; if None, the run makes its own.
    pool: Pool | None = None
    changes: Sequence[MarkChange] = ()
    results: list[SubmissionResult]
    # Set while a class is graded, for methods that nbgrader calls.
    _submissions: Prefetch | None = None
    _submission: Submission | None = None

    def start(self) -> None:
        """Grade every submission that is new or has changed (all with ``force``)."""
        self.results = []
        graded = Path(self.coursedir.root, self.coursedir.autograded_directory)
        doing = f"grading {self.coursedir.assignment_id!r}"
        with raise_nbgrader_errors(self):
            if not Nbproctor(parent=self).enabled:
                raise CourseError(
                    "nbgrader_config.py asks for nbproctor, but failed before "
                    "proctor(c). See the error above. Nothing is graded without the "
                    "sandbox."
                )
            replace_preprocessors(self)
            with course_lock(Path(self.coursedir.root), doing), grading_log(graded):
                super().start()
            ungradable = sorted(r.student for r in self.results if r.is_failure)
            if ungradable and not self.course:
                raise CourseError(
                    f"Could not be graded: {', '.join(ungradable)}. The reasons "
                    "are above, and in grading.json in each student's folder."
                )

    def init_notebooks(self) -> None:
        """Do nothing: the notebook of a submission is not known yet."""

    def convert_notebooks(self) -> None:
        """Grade the class."""
        course = self.course or Course.from_converter(self)
        replaceable = self.exclude_overwriting.get(course.assignment, [])
        run = Run(course, Nbproctor(parent=self), self.force, replaceable)
        with course.gradebook() as book:
            check_gradebook(book, run.masters.values())
            run.folders = find_submissions(course, self.options.students)
            reasons = course.find_unwritable(run.folders)
            if not self.create_student:
                enrolled = {student.id for student in book.students}
                reasons |= dict.fromkeys(run.folders.keys() - enrolled, STRANGER)
            self._report_skipped(run, reasons)
            for sentence in describe_unread(course):
                self.log.warning("%s", sentence)
            # Of a run that was killed.
            for folder in Path(self.coursedir.root).glob(f"{STAGING}*"):
                shutil.rmtree(folder, ignore_errors=True)
            with share_gradebook(book), run.executor(self.pool) as pool:
                run.place_tests(pool)
                decisions = Decisions(run, book, self.options, self._report_result)
                self.changes = decisions.changes
                with readers([*run.masters.values()], run.notebooks) as workers:
                    self._submissions = Prefetch(run, pool, workers)
                    # In the order of their ids, not in that of the executions.
                    enrol(course, map(Person, run.folders))
                    self._grade_class(self._submissions, run, decisions)

    def _report_skipped(self, run: Run, reasons: dict[str, str]) -> None:
        """Report students who are not graded, and why; their marks stay."""
        for student, reason in sorted(reasons.items()):
            del run.folders[student]
            self._report_result(
                SubmissionResult(
                    student=student,
                    status="ungradable",
                    reason=f"{reason}.",
                    score=None,
                    max_score=0.0,
                )
            )

    def _grade_class(
        self,
        submissions: Iterable[Submission],
        run: Run,
        decisions: Decisions,
    ) -> None:
        """Grade each submission when it is executed, then record those that failed."""
        failed = []
        for submission in submissions:
            self._submission = submission
            try:
                self._grade(submission, run, decisions)
            except Exception as error:
                if as_computer_error(error):
                    raise
                name = type(error).__name__
                reason = f"The submission could not be processed ({name})."
                if isinstance(error, ExecutionError):
                    reason = str(error)
                submission.refuse(run.masters, reason)
                submission.try_again = True  # the submission may not be at fault
                failed.append(submission)
                log.error("%s failed: %r", submission.student, error)
                self.log.error("%s failed", submission.student, exc_info=True)
        for submission in failed:
            decisions.mark_ungradable(submission)

    def _grade(
        self,
        submission: Submission,
        run: Run,
        decisions: Decisions,
    ) -> None:
        """Take a submission through nbgrader's steps, if there is anything to grade.

        Its rows are one transaction: all of them are written, or none.
        """
        if submission.reusable_result:
            self._report_result(submission.reusable_result)
            return
        if not submission.repaired:
            decisions.mark_ungradable(submission)
            return
        for _, future in submission.running.values():
            future.result()  # raises an error before the gradebook is locked
        key = run.course.assignment, submission.student
        with staging_folders(self.coursedir):
            staged = Path(self._format_source(*key))
            graded = Path(self._format_dest(*key))
            submission.stage(staged, run.notebooks)
            names = sorted(submission.repaired)
            self.notebooks = [str(staged / f"{name}.ipynb") for name in names]
            self.run_pre_convert_hook()

            def write_rows() -> None:
                self.init_assignment(*key)
                for notebook in self.notebooks:
                    self.convert_single_notebook(notebook)

            result = decisions.grade_and_decide(submission, write_rows)
            if result:
                _move_files(graded, run.graded_folder(submission.student))
        if result:
            self.set_permissions(*key)
            self.run_post_convert_hook()
            decisions.write(submission, result)

    def convert_single_notebook(self, notebook_filename: str) -> None:
        """Take a notebook through both of nbgrader's pipelines.

        nbgrader writes, validates and reads it again between the two.
        """
        assert self._submission
        staged = Path(notebook_filename)
        student = self._submission.student
        assignment = self.coursedir.assignment_id
        graded = Path(self._format_dest(assignment, student), staged.name)
        notebook = from_dict(self._submission.repaired[staged.stem].notebook)
        with setenv(NBGRADER_EXECUTION="autograde"):
            try:
                for path in (staged, graded):
                    self._sanitizing = path is staged
                    resources = self.init_single_notebook_resources(str(path))
                    resources["metadata"] = {
                        "name": path.stem,
                        "path": str(path.parent),
                    }
                    resources = self.exporter._init_resources(resources)
                    self._init_preprocessors()
                    for step in self.exporter._preprocessors:
                        notebook, resources = step(notebook, resources)
            finally:
                self._sanitizing = True
            self.write_single_notebook(f"{writes(notebook)}\n", resources)

    def report(self, notebook: str, nb: NotebookNode) -> Report:
        """Return the report of `nb`; execute it now if its code cells have changed."""
        assert self._submissions and self._submission
        submission = self._submission
        cells, future = submission.running[notebook]
        if student_cells(nb.cells) != cells:  # a preprocessor of this course changed it
            future = self._submissions.execute(submission, notebook, nb.cells)
        report = future.result()
        submission.reports[notebook] = report
        return report

    def _report_result(self, result: SubmissionResult) -> None:
        """Report the result of a submission to the log and to `on_result`."""
        self.results.append(result)
        write = self.log.error if result.is_failure else self.log.info
        write("%s: %s. %s", result.student, result.status, result.reason)
        if self.on_result:
            self.on_result(result)


@contextmanager
def staging_folders(coursedir: CourseDirectory) -> Iterator[None]:
    """Let `coursedir` use new temporary folders as submitted and autograded."""
    before = coursedir.submitted_directory, coursedir.autograded_directory
    with tempfile.TemporaryDirectory(prefix=STAGING, dir=coursedir.root) as folder:
        name = Path(folder).name
        coursedir.submitted_directory = f"{name}/submitted"
        coursedir.autograded_directory = f"{name}/autograded"
        try:
            yield
        finally:
            coursedir.submitted_directory, coursedir.autograded_directory = before


def _move_files(source: Path, target: Path) -> None:
    """Move all files of a folder into another, over files with the same names."""
    for path in [path for path in source.rglob("*") if path.is_file()]:
        destination = target / path.relative_to(source)
        destination.parent.mkdir(parents=True, exist_ok=True)
        path.replace(destination)
