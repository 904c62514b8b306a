"""State of one grading run, made when the run starts."""

from __future__ import annotations

import fnmatch
import logging
import os
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from nbproctor.engine import Executor, Settings
from nbproctor.nbgrader import gradebook
from nbproctor.nbgrader.course import Course
from nbproctor.nbgrader.marks import StudentMarks
from nbproctor.nbgrader.options import Nbproctor
from nbproctor.nbgrader.placement import place, places_told, without_trust
from nbproctor.nbgrader.prefetch import Submission
from nbproctor.nbgrader.submitted import handed_in
from nbproctor.notebook import MasterNotebook, support_files
from nbproctor.results import Score, SubmissionResult
from nbproctor.sandbox.layers import Policy

log = logging.getLogger(__name__)


@dataclass
class Run:
    """What one run grades, how it grades it, and how far it has come.

    Attributes
    ----------
    masters
        The assignment's notebooks that are graded.
    notebooks
        Names of all its notebooks.
    settings
        How they are executed.
    folders
        Student → what was handed in.
    graded_with
        Digests of `masters` and `settings`, for ``grading.json``.
    marks
        Student → what the gradebook holds.
    current
        The submission that nbgrader's loop is at.
    failed
        Submissions that raised an exception, with it; reported after the loop.
    waiting
        Students whom no shard has graded yet, in a merge.
    """

    masters: list[MasterNotebook]
    notebooks: frozenset[str]
    settings: Settings
    folders: dict[str, Path]
    graded_with: list[str]
    marks: dict[str, StudentMarks]
    current: Submission | None = None
    failed: list[tuple[Submission, Exception]] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)

    @classmethod
    def begin(
        cls,
        course: Course,
        assignment: str,
        options: Nbproctor,
        only: Collection[str] | None,
        keep: Collection[str],
        *,
        with_gradebook: bool = True,
    ) -> Run:
        """Read the assignment, and check that the gradebook knows it as it is.

        Parameters
        ----------
        course
            The course.
        assignment
            Its name.
        options
            What the course configures.
        only
            Grade these students alone; all that `course` chooses if None.
        keep
            The assignment's own files that a student may replace.
        with_gradebook
            Whether there is a gradebook to check and to write; a shard needs none.

        Raises
        ------
        CourseError
            The assignment cannot be graded as it stands, or nothing was handed in.
        """
        all_masters = course.masters(assignment)
        masters = [
            master
            for master in all_masters
            if fnmatch.fnmatch(master.notebook, course.view.notebook_id)
        ]
        marks: dict[str, StudentMarks] = {}
        if with_gradebook:
            with course.gradebook() as book:
                gradebook.check_gradebook(book, masters)
                marks = course.marks(assignment)
        settings = _settings(course, assignment, options, masters, keep)
        return cls(
            masters,
            frozenset(master.notebook for master in all_masters),
            settings,
            handed_in(course, assignment, only),
            _graded_with(masters, settings),
            marks,
        )

    def leave_out_strangers(self, course: Course) -> list[str]:
        """Leave out students whom the gradebook does not know; return their ids."""
        with course.gradebook() as book:
            enrolled = {student.id for student in book.students}
        strangers = sorted(self.folders.keys() - enrolled)
        for student in strangers:
            del self.folders[student]
        return strangers

    def place_tests(
        self, course: Course, assignment: str, pool: Executor, options: Nbproctor
    ) -> None:
        """Determine where each test cell is judged, if that is not recorded."""
        source = course.folder("source", assignment)
        whole = {master.notebook: master for master in course.masters(assignment)}
        for number, master in enumerate(self.masters):
            placed = place(master, course.view, self.settings, pool, source)
            whole[master.notebook] = placed
            if options.trust == "judge":
                placed = without_trust(placed)
            self.masters[number] = placed
        course.changed(assignment, [*whole.values()])
        for told in places_told(self.masters):
            log.warning("%s", told)
        self.graded_with = _graded_with(self.masters, self.settings)

    def recorded(self, student: str) -> set[Score]:
        """Return the automatic scores that the gradebook holds of a student."""
        marks = self.marks.get(student, StudentMarks())
        return {
            (g.notebook, g.cell, g.auto) for g in marks.grades if g.auto is not None
        }

    def is_current(
        self, earlier: SubmissionResult | None, submission: Submission, graded: Path
    ) -> bool:
        """Whether `earlier` is of exactly this submission, graded exactly so.

        `graded` is the folder in which the graded notebooks must still be.
        """
        return (
            earlier is not None
            and earlier.handed_in == submission.handed_in
            and earlier.graded_with == self.graded_with
            and earlier.scores() <= self.recorded(submission.student)
            and all((graded / f"{name}.ipynb").exists() for name in earlier.verdicts)
        )


def _graded_with(masters: list[MasterNotebook], settings: Settings) -> list[str]:
    return [*(master.digest for master in masters), settings.digest()]


def _settings(
    course: Course,
    assignment: str,
    options: Nbproctor,
    masters: list[MasterNotebook],
    keep: Collection[str],
) -> Settings:
    """Return how to execute; the assignment's own files are in every folder."""
    source = course.folder("source", assignment)
    data = next((master.data for master in masters if master.data), None)
    files = support_files(source, data, course.view.ignore)
    for name in keep:
        files.pop(os.path.normpath(name), None)
    return Settings(
        options.limits(),
        Policy(files=tuple(files.items()), weak=options.weak_sandbox),
        options.follow_through,
        options.stderr_fails_tests,
    )
