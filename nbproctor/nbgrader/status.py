"""Status of a submission, and its reason, in the gradebook."""

from __future__ import annotations

import datetime

from nbgrader.coursedir import CourseDirectory

from nbproctor.nbgrader import gradebook
from nbproctor.nbgrader.course import Course
from nbproctor.nbgrader.marks import read_marks
from nbproctor.nbgrader.prefetch import Submission
from nbproctor.results import Report, Status, SubmissionResult

MAX_DATE = 1000  # bytes


def timestamp(
    coursedir: CourseDirectory, submission: Submission
) -> datetime.datetime | None:
    """Return when it was handed in, or None if no readable file says so."""
    path = submission.folder / "timestamp.txt"
    # A link leads elsewhere, and reading a pipe would wait forever.
    if path.is_symlink() or not path.is_file() or path.stat().st_size > MAX_DATE:
        return None
    try:
        when: datetime.datetime | None = coursedir.get_existing_timestamp(
            str(submission.folder)
        )
    except (AttributeError, ValueError, OverflowError, OSError):
        # For what is no date, nbgrader 0.9 calls a method that it does not have.
        return None
    return when


def finish(course: Course, assignment: str, submission: Submission) -> SubmissionResult:
    """Put status and remarks of a graded submission into the gradebook."""
    notes = submission.notes()
    for name, report in submission.reports.items():
        notes[name] = [
            *notes[name],
            *(f"{test}: {why}" for test, why in _not_run(report).items()),
        ]
    with course.gradebook() as book:
        recorded = book.find_submission(assignment, submission.student)
        gradebook.withdraw(book, recorded, submission.reasons)
        for name, report in submission.reports.items():
            if not_run := _not_run(report):
                gradebook.unscore(book, recorded, name, not_run)
            gradebook.remark(book, recorded, name, notes[name], report.verdicts)
        max_score = float(recorded.max_score)
        marks = read_marks(book, assignment, submission.student)[submission.student]
    late, waiting = marks.late, marks.waiting
    reports = submission.reports.values()
    status: Status = "graded"
    if submission.reasons or any(r.notes or _not_run(r) for r in reports):
        status = "partial"
    elif any(repaired.notes for repaired in submission.repaired.values()):
        status = "repaired"
    elif late:
        status = "late"
    reasons = [sentence for sentences in notes.values() for sentence in sentences]
    reasons += [f"Handed in {late / 3600:.1f} hours late."] if late else []
    reasons += [f"To be graded by hand: {', '.join(waiting)}."] if waiting else []
    reason = " ".join(reasons)
    total = marks.total()
    return SubmissionResult(submission.student, status, reason, total, max_score)


def _not_run(report: Report) -> dict[str, str]:
    """Return the tests that say nothing about the answer: test → why.

    A broken test, or one for which no time was left: nothing is graded with it.
    """
    return {
        verdict.cell_id: verdict.message
        for verdict in report.verdicts
        if verdict.outcome == "not run" and verdict.max_points
    }


def give_up(
    course: Course, assignment: str, submission: Submission
) -> SubmissionResult:
    """Record that nothing of a submission can be graded, and why."""
    with course.gradebook() as book:
        recorded = gradebook.submission(book, assignment, submission.student)
        recorded.timestamp = timestamp(course.view, submission)
        gradebook.withdraw(book, recorded, submission.reasons)
        max_score = float(recorded.max_score)
    reason = " ".join(dict.fromkeys(submission.reasons.values()))
    return SubmissionResult(submission.student, "ungradable", reason, None, max_score)
