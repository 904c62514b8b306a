"""The class in nbgrader's gradebook: its people, and tables of their marks."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from math import fsum, nan
from pathlib import Path
from typing import TYPE_CHECKING

from nbproctor import platforms
from nbproctor.nbgrader.course import Course
from nbproctor.nbgrader.failures import CourseError
from nbproctor.nbgrader.gradebook import SharedGradebook, find_assignment
from nbproctor.platforms import Identifier, Kind, Person
from nbproctor.results import SubmissionResult

if TYPE_CHECKING:
    import pandas as pd

_NAMES = ["last_name", "first_name", "email"]
_ABOUT = [*_NAMES, "status", "reason", "submitted", "hours_late"]


def people(course: Path | Course) -> list[Person]:
    """Return everybody whom the gradebook knows."""
    with Course.at(course).gradebook() as book:
        return [
            Person(
                student=student.id,
                last=student.last_name or "",
                first=student.first_name or "",
                identifiers=(Identifier(Kind.EMAIL, student.email),)
                if student.email
                else (),
            )
            for student in book.students
        ]


def enrol(course: Path | Course, class_list: Iterable[Person]) -> int:
    """Enter people into the gradebook; return how many are new.

    What a person's entry leaves empty is kept as the gradebook has it.
    """
    new = 0
    with Course.at(course).gradebook() as book:
        enrolled = {student.id: student for student in book.students}
        for person in class_list:
            fields = zip(_NAMES, (person.last, person.first, person.email), strict=True)
            filled = {name: value for name, value in fields if value}
            if person.student not in enrolled:
                new += 1
                book.add_student(person.student, **filled)
                continue
            for name, value in filled.items():
                setattr(enrolled[person.student], name, value)
        book.db.commit()
    return new


def extend(
    course: Path | Course, assignment: str, student: str, until: datetime
) -> datetime:
    """Let a student hand in until later than others; return when those must.

    `CourseError`: the assignment has no due date, or nobody knows the student.
    """
    with Course.at(course).gradebook() as book:
        due = find_assignment(book, assignment).duedate
        if due is None:
            raise CourseError(
                f"{assignment!r} has no due date. Set it in formgrader, or: nbgrader "
                f"db assignment add {assignment} --duedate='2026-12-01 18:00 CET'"
            )
        _check_enrolled(book, student)
        row = book.update_or_create_submission(assignment, student)
        row.extension = until.astimezone(UTC).replace(tzinfo=None) - due
        book.db.commit()
        return datetime.combine(due.date(), due.time(), UTC)


def excuse(course: Course, assignment: str, student: str, yes: bool) -> None:
    """Say that a student needs no mark in an assignment, or does after all.

    `CourseError`: nobody knows the assignment, or the student.
    """
    with course.gradebook() as book:
        find_assignment(book, assignment)
        _check_enrolled(book, student)
    platforms.excuse(course.records(assignment), [student], yes)


def late_without_time(course: Path | Course, assignment: str) -> list[Person]:
    """Return who was late as the platform says, which does not say when they came.

    Without a time there is no penalty.
    """
    course = Course.at(course)
    marks = course.marks(assignment)
    late = course.read_column(assignment, "late").keys() & marks.keys()
    late -= course.read_column(assignment, "excused").keys()
    untimed = {student for student in late if marks[student].timestamp is None}
    return [person for person in people(course) if person.student in untimed]


def _check_enrolled(book: SharedGradebook, student: str) -> None:
    if student not in {each.id for each in book.students}:
        raise CourseError(
            f"The gradebook has no student {student!r}. Import the class list: "
            "kit.py roster"
        )


def check_exportable(course: Path | Course, assignment: str) -> None:
    """Check that a course may be given to a platform that grades with it.

    `CourseError`: the assignment is unknown, or the configuration names a database: its
    password would go along, and the platform's runs would write into it.
    """
    course = Course.at(course)
    course.sources(assignment)
    if "db_url" in course.config.CourseDirectory:
        raise CourseError(
            "nbgrader_config.py names a database (c.CourseDirectory.db_url), which "
            "must not go to another platform. Set it only where you grade, for "
            "example: if 'NBGRADER_DB' in os.environ"
        )


def scores(course: Path | Course, assignment: str) -> pd.DataFrame:
    """Return the class's scores as they stand in the gradebook.

    Returns
    -------
    DataFrame
        Index: student id. One column an exercise in source order (points, the sum
        of its test cells), then ``total`` (points after a late penalty, never below
        0). NaN: not graded, or nothing handed in. A cell graded outside any
        exercise has a column of its own name.
    """
    table = class_table(course, assignment)
    return table.drop(columns=[*_ABOUT, "penalty", "max_score"])


def class_table(course: Path | Course, assignment: str) -> pd.DataFrame:
    """Return a table of a class's work on an assignment, by student id.

    Columns: ``last_name``, ``first_name``, ``email``, ``status``, ``reason``,
    ``submitted`` (UTC), ``hours_late``; one an exercise, in source order; ``penalty``,
    ``total`` (points after the penalty), ``max_score``. What was not graded is NaN,
    never 0, and so is the total of who is excused. `CourseError`: source or gradebook
    do not know the assignment.
    """
    import pandas as pd  # a quarter of a second, which few commands need

    course = Course.at(course)
    column_of = {
        (master.notebook, cell.id): cell.exercise or cell.id
        for master in course.masters(assignment)
        for cell in master.cells
        if cell.points
    }
    exercises = dict.fromkeys(column_of.values(), nan)
    rows = {}
    after = ["penalty", "total", "max_score"]
    excused = course.read_column(assignment, "excused")
    with course.gradebook() as book:
        marks = course.marks(assignment)
        max_score = float(book.find_assignment(assignment).max_score)
        for student in book.students:
            folder = course.folder("autograded", assignment, student.id)
            result = SubmissionResult.read(folder)
            mark = marks.get(student.id)
            total = mark.total() if mark else None
            rows[student.id] = {
                **{name: getattr(student, name) or "" for name in _NAMES},
                "status": result.status if result else "missing",
                "reason": result.reason if result else "Nothing was graded.",
                "submitted": mark.timestamp if mark else None,
                "hours_late": mark.late / 3600 if mark and result else nan,
                **exercises,
                "penalty": mark.penalty if mark else nan,
                "total": nan if total is None else total,
                "max_score": max_score,
            }
            if student.id in excused:
                rows[student.id] |= {"status": "excused", "reason": "", "total": nan}
            points: dict[str, list[float]] = {}
            for grade in mark.grades if mark else ():
                if column := column_of.get((grade.notebook, grade.cell)):
                    grade_points = nan if grade.points is None else grade.points
                    points.setdefault(column, []).append(grade_points)
            rows[student.id] |= {column: fsum(each) for column, each in points.items()}
    columns = [*_ABOUT, *exercises, *after]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    table = table.astype(dict.fromkeys(["hours_late", *exercises, *after], float))
    table["submitted"] = pd.to_datetime(table["submitted"])
    return table.rename_axis("student").sort_index()


def term(course: Course) -> tuple[pd.DataFrame, list[str]]:
    """Return a table of all assignments that were released, and their names.

    Index: student id. Columns: ``last_name``, ``first_name``, ``email``; of each
    assignment its points under its name (NaN: no mark), and with ``_of``, ``_status``
    and ``_hours_late`` behind it what they are of, and how they came about.
    """
    import pandas as pd  # a quarter of a second, which few commands need

    with course.gradebook() as book:
        released = {assignment.name for assignment in book.assignments}
    names = [name for name in course.assignments() if name in released]
    parts = [pd.DataFrame(columns=_NAMES)]
    for name in names:
        table = class_table(course, name)
        parts[0] = table[_NAMES]
        columns = {"total": name, "max_score": f"{name}_of"}
        columns |= {c: f"{name}_{c}" for c in ("status", "hours_late")}
        parts.append(table[[*columns]].rename(columns=columns))
    return pd.concat(parts, axis="columns").rename_axis("student"), names
