"""State of one grading run, made when the run starts."""

from __future__ import annotations

import fnmatch
import logging
import os
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from nbgrader.coursedir import CourseDirectory

from nbproctor.engine import Executor, Settings
from nbproctor.nbgrader import gradebook
from nbproctor.nbgrader.course import folder
from nbproctor.nbgrader.masters import master_notebooks
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
    recorded
        Student → the scores that the gradebook holds.
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
    recorded: dict[str, tuple[Score, ...]]
    current: Submission | None = None
    failed: list[tuple[Submission, Exception]] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)

    @classmethod
    def begin(
        cls,
        course: CourseDirectory,
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
            nbgrader's view of the folders, with assignment and students chosen.
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
        all_masters = master_notebooks(course, course.assignment_id)
        masters = [
            master
            for master in all_masters
            if fnmatch.fnmatch(master.notebook, course.notebook_id)
        ]
        recorded: dict[str, tuple[Score, ...]] = {}
        if with_gradebook:
            gradebook.check_gradebook(course, masters)
            with gradebook.open_gradebook(course) as book:
                recorded = gradebook.recorded(book, course.assignment_id)
        settings = _settings(course, options, masters, keep)
        return cls(
            masters,
            frozenset(master.notebook for master in all_masters),
            settings,
            handed_in(course, only),
            _graded_with(masters, settings),
            recorded,
        )

    def leave_out_strangers(self, course: CourseDirectory) -> list[str]:
        """Leave out students whom the gradebook does not know; return their ids."""
        with gradebook.open_gradebook(course) as book:
            enrolled = {student.id for student in book.students}
        strangers = sorted(self.folders.keys() - enrolled)
        for student in strangers:
            del self.folders[student]
        return strangers

    def place_tests(
        self, course: CourseDirectory, pool: Executor, options: Nbproctor
    ) -> None:
        """Determine where each test cell is judged, if that is not recorded."""
        source = folder(course, "source", course.assignment_id)
        for number, master in enumerate(self.masters):
            placed = place(master, course, self.settings, pool, source)
            if options.trust == "judge":
                placed = without_trust(placed)
            self.masters[number] = placed
        for told in places_told(self.masters):
            log.warning("%s", told)
        self.graded_with = _graded_with(self.masters, self.settings)

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
            and earlier.scores() <= set(self.recorded.get(submission.student, ()))
            and all((graded / f"{name}.ipynb").exists() for name in earlier.verdicts)
        )


def _graded_with(masters: list[MasterNotebook], settings: Settings) -> list[str]:
    return [*(master.digest for master in masters), settings.digest()]


def _settings(
    course: CourseDirectory,
    options: Nbproctor,
    masters: list[MasterNotebook],
    keep: Collection[str],
) -> Settings:
    """Return how to execute; the assignment's own files are in every folder."""
    source = folder(course, "source", course.assignment_id)
    data = next((master.data for master in masters if master.data), None)
    files = support_files(source, data, course.ignore)
    for name in keep:
        files.pop(os.path.normpath(name), None)
    return Settings(
        options.limits(),
        Policy(files=tuple(files.items()), weak=options.weak_sandbox),
        options.follow_through,
        options.stderr_fails_tests,
    )
