"""Deadlines: when an assignment is due, extensions, and who is excused.

The gradebook has the due date and each extension, as a duration. The course's records
have what it cannot hold: a fixed deadline (``until``), and who is excused.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from nbgrader.utils import parse_utc

from nbproctor import platforms
from nbproctor.nbgrader.course import Course
from nbproctor.nbgrader.failures import CourseError
from nbproctor.nbgrader.gradebook import SharedGradebook, find_assignment


def set_due(course: Course, due: datetime) -> list[str]:
    """Set when the assignment is due; return the students with a fixed deadline.

    nbgrader stores an extension as a duration after the due date. So a student with a
    fixed deadline gets another duration, and the deadline stays. `CourseError`: the
    assignment was not released.
    """
    assignment = course.assignment
    fixed_times = course.read_column("until")
    with course.gradebook() as book, book.transaction() as commit:
        find_assignment(book, assignment).duedate = parse_utc(due)
        for student, until in fixed_times.items():
            extension = datetime.fromisoformat(until) - due
            book.update_or_create_submission(assignment, student, extension=extension)
        commit()
    return sorted(fixed_times)


def extend(
    course: Course,
    student: str,
    extension: datetime | timedelta,
) -> tuple[datetime, datetime]:
    """Let a student submit later; return the student's and the others' deadline (UTC).

    A moment stays if the due date changes; a duration is added to any due date.
    `CourseError`: the assignment has no due date, or nobody knows the student.
    """
    assignment = course.assignment
    with course.gradebook() as book:
        due = find_assignment(book, assignment).duedate
        if due is None:
            raise CourseError(
                f"{assignment!r} has no due date. To set it: `nbproctor due "
                f"'2026-12-01 18:00' {assignment}`"
            )
        due = due.replace(tzinfo=UTC)
        _check_enrolled(book, student)
        until = ""
        if isinstance(extension, datetime):
            until = platforms.utc(extension).replace(" UTC", "+00:00")
            extension -= due
        book.update_or_create_submission(assignment, student, extension=extension)
    platforms.update_record(
        records=course.records,
        column="until",
        texts={student: until},
    )
    return due + extension, due


def excuse(
    course: Course,
    student: str,
    yes: bool,
) -> None:
    """Excuse a student from the assignment, or no longer excuse the student.

    `CourseError`: the assignment or the student is not in the gradebook.
    """
    with course.gradebook() as book:
        find_assignment(book, course.assignment)
        _check_enrolled(book, student)
    text = "yes" if yes else ""
    platforms.update_record(
        records=course.records,
        column="excused",
        texts={student: text},
    )


def _check_enrolled(book: SharedGradebook, student: str) -> None:
    if student not in {each.id for each in book.students}:
        raise CourseError(
            f"The gradebook has no student {student!r}. Import the class list: "
            "`nbproctor roster`"
        )
