"""Results of a run's submissions: kept from earlier runs, removed, and written."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from nbproctor.nbgrader import status
from nbproctor.nbgrader.course import Course
from nbproctor.nbgrader.feedback import forget
from nbproctor.nbgrader.prefetch import Submission
from nbproctor.nbgrader.run import Run
from nbproctor.results import FILE, SubmissionResult

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SubmissionResults:
    """The results of one run.

    Attributes
    ----------
    course
        The course.
    run
        The state of the run.
    tell
        Called with each result when it is written.
    """

    course: Course
    assignment: str
    run: Run
    tell: Callable[[SubmissionResult], None]

    def folder(self, student: str) -> Path:
        """Return the folder of a student's graded notebooks."""
        return self.course.folder("autograded", self.assignment, student)

    def current(self, submission: Submission) -> SubmissionResult | None:
        """Return the result of exactly this submission, graded exactly so."""
        graded = self.folder(submission.student)
        earlier = SubmissionResult.read(graded)
        return earlier if self.run.is_current(earlier, submission, graded) else None

    def clear(self, student: str) -> None:
        """Remove what an earlier, or an interrupted, run left."""
        folder = self.folder(student)
        if self.course.view.notebook_id == "*":
            shutil.rmtree(folder, ignore_errors=True)
        notebooks = [master.notebook for master in self.run.masters]
        for name in [FILE, *(f"{notebook}.ipynb" for notebook in notebooks)]:
            (folder / name).unlink(missing_ok=True)
        forget(self.course.folder("feedback", self.assignment, student), notebooks)

    def finish(self, submission: Submission) -> None:
        """Record status, remarks and ``grading.json`` of a graded submission."""
        self._write(submission, status.finish(self.course, self.assignment, submission))

    def give_up(self, submission: Submission) -> None:
        """Record that nothing of a submission can be graded, and why."""
        self.clear(submission.student)
        self._write(
            submission, status.give_up(self.course, self.assignment, submission)
        )

    def _write(self, submission: Submission, result: SubmissionResult) -> None:
        result = replace(
            result,
            notes=submission.notes(),
            verdicts={name: r.verdicts for name, r in submission.reports.items()},
            handed_in=submission.handed_in,
            graded_with=self.run.graded_with,
            seconds={name: r.seconds for name, r in submission.reports.items()},
        )
        result.write(self.folder(submission.student))
        for report in submission.reports.values():
            for note in report.notes:  # what was stopped, after how many seconds
                log.warning("%s: %s", submission.student, note)
        self.tell(result)
