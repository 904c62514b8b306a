"""The class report of an assignment, from what nbgrader knows."""

from __future__ import annotations

from pathlib import Path

from nbproctor.nbgrader.course import directory, load_config
from nbproctor.nbgrader.feedback import read_outlines, submissions
from nbproctor.nbgrader.gradebook import open_gradebook
from nbproctor.nbgrader.source import CourseError
from nbproctor.pages.report import class_report


def report(
    course: Path, assignment: str, *, alike: bool = False
) -> tuple[Path, tuple[str, ...]]:
    """Write the class report; return its path, and the lines of it for a terminal.

    Parameters
    ----------
    alike : bool
        Also look for long answers that are more alike than the class is.

    Raises
    ------
    CourseError
        Nothing is graded yet, or there is no such assignment.
    """
    config = load_config(course)
    config.CourseDirectory.assignment_id = assignment
    there = directory(config)
    outlines = read_outlines(there)
    found = list(submissions(there, outlines))
    if not found:
        raise CourseError(
            f"Nothing of {assignment!r} is graded yet: grade it, then ask for a report."
        )
    known = {submission.student for submission in found}
    with open_gradebook(there) as book:
        missing = {
            student.id: " ".join(filter(None, (student.first_name, student.last_name)))
            for student in book.students
            if student.id not in known
        }
    made = class_report(found, outlines, missing, alike=alike)
    page = course / "report" / f"{assignment}.html"
    page.parent.mkdir(exist_ok=True)
    page.write_text(made.page, "utf-8", errors="replace")
    return page, made.lines
