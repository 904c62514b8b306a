"""Graded notebooks of a class, as pages show them, and the class report of them."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from nbproctor import platforms
from nbproctor.nbgrader.course import Course
from nbproctor.nbgrader.marks import StudentMarks
from nbproctor.nbgrader.source import CourseError
from nbproctor.pages.report import class_report
from nbproctor.pages.summary import GradedNotebook
from nbproctor.results import SubmissionResult


def exercise_titles(course: Path | Course, assignment: str) -> dict[str, str]:
    """Return number and title of each exercise, as its heading in the notebook has it.

    Raises
    ------
    CourseError
        There is no such assignment.
    """
    outlines = Course.at(course).outlines(assignment)
    return {e.id: e.name for outline in outlines.values() for e in outline.exercises}


def graded_notebooks(
    course: Course, assignment: str, wanted: str, only: Collection[str] | None = None
) -> list[GradedNotebook]:
    """Return what was graded, or refused, with the gradebook's marks.

    Of the students in `only` alone, if it is given.

    Raises
    ------
    CourseError
        There is none; the message says what is `wanted`.
    """
    found = []
    marks = course.marks(assignment)
    for student, path in course.folders("autograded", assignment):
        if only is not None and student not in only:
            continue
        record = marks.get(student, StudentMarks())
        result = SubmissionResult.read(path)
        if result is None or result.student != student:  # of somebody else, copied
            result = SubmissionResult(student, "graded", "", None, 0.0)
        for name in course.outlines(assignment):
            graded = path / f"{name}.ipynb"
            if not graded.is_file() and name not in result.notes:
                continue
            made = GradedNotebook(
                student=student,
                name=record.name,
                assignment=assignment,
                notebook=name,
                status=result.status,
                notes=result.notes.get(name, []),
                verdicts=result.verdicts.get(name, []),
                marks=record.marks(name),
                comments=record.comments.get(name, {}),
                penalty=record.penalties.get(name, 0.0),
                late=record.late,
                path=str(graded) if graded.is_file() else None,
                seconds=result.seconds.get(name, 0.0),
            )
            found.append(made)
    if not found:
        raise CourseError(
            f"Nothing of {assignment!r} is graded yet: grade it, then ask for {wanted}."
        )
    return found


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
    graded = graded_notebooks(course, assignment, "a report")
    handed_in = {each.student for each in graded}
    with course.gradebook() as book:
        missing = {
            student.id: " ".join(filter(None, (student.first_name, student.last_name)))
            for student in book.students
            if student.id not in handed_in
        }
    rendered = class_report(
        graded,
        course.outlines(assignment),
        missing,
        said_late=platforms.late(course.root / "collected" / assignment),
        alike=alike,
    )
    page = course.root / "report" / f"{assignment}.html"
    page.parent.mkdir(exist_ok=True)
    page.write_text(rendered.page, "utf-8", errors="replace")
    return page, rendered.lines
