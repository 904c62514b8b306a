"""Class report of an assignment, made from nbgrader's data."""

from __future__ import annotations

from pathlib import Path

from nbproctor import platforms
from nbproctor.nbgrader.course import Course
from nbproctor.nbgrader.graded import graded_submissions
from nbproctor.pages.report import class_report


def report(
    course: Path | Course, assignment: str, *, alike: bool = False
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
    course = Course.at(course)
    outlines = course.outlines(assignment)
    graded = graded_submissions(course, assignment, "a report")
    handed_in = {submission.student for submission in graded}
    with course.gradebook() as book:
        missing = {
            student.id: " ".join(filter(None, (student.first_name, student.last_name)))
            for student in book.students
            if student.id not in handed_in
        }
    said_late = platforms.late(course.root / "collected" / assignment)
    rendered = class_report(graded, outlines, missing, said_late=said_late, alike=alike)
    page = course.root / "report" / f"{assignment}.html"
    page.parent.mkdir(exist_ok=True)
    page.write_text(rendered.page, "utf-8", errors="replace")
    return page, rendered.lines
