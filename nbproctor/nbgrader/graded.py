"""Graded submissions of a class, as pages show them: results, marks and outlines."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from nbproctor.nbgrader.course import Course
from nbproctor.nbgrader.marks import StudentMarks
from nbproctor.nbgrader.source import CourseError
from nbproctor.pages.data import Submission
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


def graded_submissions(
    course: Course,
    assignment: str,
    wanted: str,
    only: Collection[str] | None = None,
) -> list[Submission]:
    """Return the submissions that were graded, or refused, with the gradebook's marks.

    Of the students in `only` alone, if it is given.

    Raises
    ------
    CourseError
        There is none; the message says what is `wanted`.
    """
    graded = list(_graded_submissions(course, assignment, only))
    if not graded:
        raise CourseError(
            f"Nothing of {assignment!r} is graded yet: grade it, then ask for {wanted}."
        )
    return graded


def _graded_submissions(
    course: Course,
    assignment: str,
    only: Collection[str] | None,
) -> Iterator[Submission]:
    marks = course.marks(assignment)
    for student, path in course.folders("autograded", assignment):
        if only is not None and student not in only:
            continue
        record = marks.get(student, StudentMarks())
        result = SubmissionResult.read(path)
        if result is not None and result.student != student:
            result = None  # of somebody else, copied there
        for name in course.outlines(assignment):
            graded = path / f"{name}.ipynb"
            if not graded.is_file() and not (result and name in result.notes):
                continue
            yield Submission(
                student=student,
                name=record.name,
                assignment=assignment,
                notebook=name,
                status=result.status if result else "graded",
                notes=result.notes.get(name, []) if result else [],
                verdicts=result.verdicts.get(name, []) if result else [],
                marks=record.marks(name),
                comments=record.comments.get(name, {}),
                penalty=record.penalties.get(name, 0.0),
                late=record.late,
                graded=str(graded) if graded.is_file() else None,
                seconds=result.seconds.get(name, 0.0) if result else 0.0,
            )
