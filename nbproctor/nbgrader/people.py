"""The class in nbgrader's gradebook: its people, and tables of their marks."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import fsum, nan
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from nbgrader.utils import parse_utc

from nbproctor import platforms
from nbproctor.nbgrader.course import Course
from nbproctor.nbgrader.failures import CourseError
from nbproctor.nbgrader.gradebook import (
    CellKey,
    SharedGradebook,
    find_assignment,
    find_deadlines,
)
from nbproctor.nbgrader.marks import CellGrade, StudentMarks
from nbproctor.nbgrader.submitted import is_same_time
from nbproctor.platforms import Identifier, Kind, Person
from nbproctor.results import SubmissionResult
from nbproctor.statuses import STATUSES
from nbproctor.submission.files import fingerprint

if TYPE_CHECKING:
    import pandas as pd

_NAMES = ["last_name", "first_name", "email"]
_ABOUT = [*_NAMES, "status", "reason", "submitted", "hours_late"]
_MARKS = ["penalty", "total", "max_score"]
# Other columns of tables are exercises; exports add the last two.
_RESERVED = [*_ABOUT, *_MARKS, "student", "late", "due"]
# In the table of a term, after the column of each assignment: its name and this.
_IN_TERM = ["of", "status", "hours_late", "submitted", "due"]


def people(course: Course) -> list[Person]:
    """Return everybody in the gradebook."""
    with course.gradebook() as book:
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


def labels(course: Course) -> dict[str, str]:
    """Return the name to show for each student id."""
    return platforms.labels({each.student: each.name for each in people(course)})


def list_names(course: Course, students: Iterable[str]) -> str:
    """Return the names to show for students, in one line."""
    names = labels(course)
    return "; ".join(names.get(student, student) for student in students)


def enrol(course: Course, class_list: Iterable[Person]) -> None:
    """Enter people into the gradebook.

    An empty field of a person does not overwrite the gradebook.
    """
    with course.gradebook() as book, book.transaction() as commit:
        for person in class_list:
            filled = {name: value for name, value in _names(person).items() if value}
            book.update_or_create_student(person.student, **filled)
        commit()


def _names(person: Person) -> dict[str, str]:
    """Return the values of `_NAMES`."""
    return {
        "last_name": person.last,
        "first_name": person.first,
        "email": person.email,
    }


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


Standings: TypeAlias = Mapping[str, "Participant"]
"""Student id → how the student stands, as `participants` returns it."""


@dataclass(frozen=True)
class Participant:
    """The current state of one student in an assignment."""

    person: Person
    result: SubmissionResult  # score and reason include marks by hand
    has_submitted: bool  # or the submission was removed from the course
    marks: StudentMarks  # none if nothing is submitted
    waiting: list[CellGrade]  # cells that a person still has to grade
    is_late_without_time: bool  # only the platform says so, and a penalty is possible


def participants(
    course: Course,
    new_results: Iterable[SubmissionResult] = (),
    students: Collection[str] | None = None,
) -> dict[str, Participant]:
    """Return the state of everybody in the assignment: student id → participant.

    This is the only place that decides who has submitted, is excused, or waits for a
    person: table, summary, report and exports use it. `new_results` replace the results
    in the course's folders. If `students` is given, only these are read. `CourseError`:
    the gradebook does not know the assignment.
    """
    results = {result.student: result for result in new_results}
    submitted = course.submissions()
    excused = course.read_column("excused")
    with course.gradebook() as book:
        all_marks = course.marks()
        row = find_assignment(book, course.assignment)
        max_score = float(row.max_score)
        deadlines = find_deadlines(book, row)
    late = course.read_column("late") if course.has_late_penalty else {}
    now = parse_utc(datetime.now(UTC))
    persons = {student: Person(student) for student in results}
    persons |= {person.student: person for person in people(course)}
    standings = {}
    for student, person in sorted(persons.items()):
        if students is not None and student not in students:
            continue
        has_submitted = student in submitted
        marks = all_marks[student] if has_submitted else StudentMarks()
        result = SubmissionResult(
            student=student,
            status="missing",
            reason="Nothing submitted.",
            score=None,
            max_score=max_score,
        )
        if has_submitted:
            folder = course.folder("autograded", student)
            stored = results.get(student) or SubmissionResult.read(folder)
            if stored and stored.student == student:  # not copied from somebody else
                result = stored
            elif folder.is_dir():
                result = replace(
                    result,
                    status="graded",
                    reason="",
                )
            else:
                reason = "Submitted, but not graded yet. Run `grade`."
                result = replace(
                    result,
                    status="not graded",
                    reason=reason,
                )
        # A result that stays may be from before the points were changed.
        result = replace(result, score=marks.total(), max_score=max_score)
        if student in excused:
            result = replace(
                result,
                status="excused",
                reason="",
                score=None,
            )
        waiting = marks.waiting if STATUSES[result.status].may_wait else []
        if waiting:
            cells = ", ".join(grade.to_do for grade in waiting)
            reason = f"{result.reason} To be graded by hand: {cells}."
            result = replace(result, reason=reason.strip())
        deadline = deadlines[student] or datetime.max
        is_late = student in late and student not in excused and deadline < now
        standings[student] = Participant(
            person=person,
            result=result,
            has_submitted=has_submitted,
            marks=marks,
            waiting=waiting,
            is_late_without_time=has_submitted and is_late and not marks.timestamp,
        )
    return standings


def late_without_time(standings: Standings) -> list[str]:
    """Return the ids of students whom the platform calls late, without a time.

    Without a time there is no penalty. Students whose deadline has not passed are left
    out. In a course without a late penalty, nobody is returned.
    """
    return [s for s, each in standings.items() if each.is_late_without_time]


def too_high(standings: Standings) -> dict[str, list[str]]:
    """Return graded cell → ids of students whose score is above its maximum."""
    students = defaultdict(list)
    for student, participant in standings.items():
        for grade in participant.marks.grades:
            if grade.is_too_high:
                students[f"{grade.cell} ({grade.worth:g})"].append(student)
    return students


def outdated(course: Course, standings: Standings) -> list[str]:
    """Return the ids of students whose files, times or deadlines have changed.

    Their marks are out of date until the next `grade`. Results without a fingerprint,
    such as those of plain nbgrader, are not compared.
    """
    students = []
    for student, participant in standings.items():
        result = participant.result
        if not participant.has_submitted or not result.handed_in:
            continue
        folder = course.folder("submitted", student)
        if result.handed_in != fingerprint(folder) or not is_same_time(
            result=result,
            marks=participant.marks,
            folder=folder,
        ):
            students.append(student)
    return students


def _check_enrolled(book: SharedGradebook, student: str) -> None:
    if student not in {each.id for each in book.students}:
        raise CourseError(
            f"The gradebook has no student {student!r}. Import the class list: "
            "`nbproctor roster`"
        )


def check_exportable(course: Course) -> None:
    """Check that a course may be uploaded to a platform that grades with it.

    `CourseError`: the assignment is unknown, or the configuration names a database: its
    password would go along, and the platform's runs would write into it.
    """
    course.sources()
    if "db_url" in course.config.CourseDirectory:
        raise CourseError(
            "nbgrader_config.py names a database (c.CourseDirectory.db_url), which "
            "must not be sent to another platform. Set it only on the computer where "
            "you grade, for example: if 'NBGRADER_DB' in os.environ"
        )


def scores(
    course: Path | Course,
    assignment: str,
    standings: Standings | None = None,
) -> pd.DataFrame:
    """Return the class's scores as they stand in the gradebook.

    Parameters
    ----------
    standings : mapping, optional
        What `participants` returned, if it was already called.

    Returns
    -------
    DataFrame
        Index: student id. One column an exercise in source order (points, the sum
        of its test cells), then ``total`` (points after a late penalty, never below
        0). NaN: not graded, or nothing submitted. A cell graded outside any
        exercise has a column of its own name.
    """
    course = Course.load(course, assignment)
    course.sources()  # says which assignments there are
    table = class_table(course, standings or participants(course))
    return table.drop(columns=[*_ABOUT, "penalty", "max_score"])


def exercise_columns(course: Course) -> dict[CellKey, str]:
    """Return the column of each graded cell in tables: that of its exercise.

    It is the exercise's id. If another notebook or the table itself uses the same name,
    the notebook comes before it.
    """
    exercises = {
        (master.notebook, cell.id): (master.notebook, cell.exercise or cell.id)
        for master in course.masters
        for cell in master.cells
        if cell.points
    }
    columns = _choose_columns({*exercises.values()}, _RESERVED)
    return {cell: columns[exercise] for cell, exercise in exercises.items()}


def _choose_columns(
    keys: Collection[tuple[str, str]],
    reserved: Collection[str],
) -> dict[tuple[str, str], str]:
    """Return a column of its own for each prefix and name.

    It is the name. If that is reserved, or used twice, the prefix comes before it.
    """
    uses = Counter([*reserved, *(name for _, name in keys)])
    return {
        (prefix, name): f"{prefix}: {name}" if uses[name] > 1 else name
        for prefix, name in keys
    }


def class_table(course: Course, standings: Standings) -> pd.DataFrame:
    """Return a table of a class's work on the assignment, by student id.

    Columns: ``last_name``, ``first_name``, ``email``, ``status``, ``reason``,
    ``submitted`` (UTC), ``hours_late``; one an exercise, in source order; ``penalty``,
    ``total`` (points after the penalty), ``max_score``. Points that were not given, and
    the total of an excused student, are NaN, never 0. `CourseError`: source or
    gradebook do not know the assignment.
    """
    import pandas as pd  # a quarter of a second, which few commands need

    column_of = exercise_columns(course)
    exercises = dict.fromkeys(column_of.values())
    rows = {}
    for student, participant in standings.items():
        marks = participant.marks
        result = participant.result
        row = {
            **_names(participant.person),
            "status": result.status,
            "reason": result.reason,
            "submitted": marks.timestamp,
            "total": result.score,
            "max_score": result.max_score,
        }
        if marks.grades:
            row["hours_late"] = marks.late / 3600
            row["penalty"] = marks.penalty
        points = defaultdict(list)
        for grade in marks.grades:
            column = column_of.get((grade.notebook, grade.cell))
            if column:
                points[column].append(nan if grade.points is None else grade.points)
        for column, points_of_cells in points.items():
            row[column] = fsum(points_of_cells)
        rows[student] = row
    columns = [*_ABOUT, *exercises, *_MARKS]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    table = table.astype(dict.fromkeys(["hours_late", *exercises, *_MARKS], float))
    table["submitted"] = pd.to_datetime(table["submitted"])
    return table.rename_axis("student").sort_index()


def term(course: Course) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return a table of all assignments that were released, and the column of each.

    Index: student id. Columns: ``last_name``, ``first_name``, ``email``; of each
    assignment its points under its name (NaN: no mark), and with ``_of``, ``_status``,
    ``_hours_late``, ``_submitted`` and ``_due`` (both UTC) behind it what they are of,
    and how they came about. If another column is called like an assignment,
    ``assignment:`` comes before its name. ``total_of`` is what those assignments are
    worth in which the student has a mark or nothing submitted, but others have a mark.
    ``total`` is the sum of the marks in them: 0 for nothing submitted, and NaN if there
    are none.
    """
    import pandas as pd  # a quarter of a second, which few commands need

    with course.gradebook() as book:
        deadlines = {row.name: find_deadlines(book, row) for row in book.assignments}
    names = [name for name in course.assignments() if name in deadlines]
    others = [f"{name}_{end}" for name in names for end in _IN_TERM]
    chosen = _choose_columns(
        [("assignment", name) for name in names],
        reserved=[*_NAMES, "student", "total", "total_of", *others],
    )
    column_of = dict(zip(names, chosen.values(), strict=True))
    people_part = pd.DataFrame(columns=_NAMES)
    parts = []
    total_of: Any = 0
    for name in names:
        opened = course.for_assignment(name)
        table = class_table(opened, participants(opened))
        people_part = table[_NAMES]
        due = [deadlines[name][student] for student in table.index]
        table["due"] = pd.to_datetime(due)
        table["of"] = table["max_score"]
        column = column_of[name]
        parts += [
            table[["total"]].set_axis([column], axis="columns"),
            table[_IN_TERM].add_prefix(f"{column}_"),
        ]
        is_marked = table["total"].notna()
        if is_marked.any():
            # Work without a mark counts only if it is missing. Nobody excused has one.
            counts = is_marked | (table["status"] == "missing")
            total_of += table["max_score"] * counts
    whole = pd.concat([people_part, *parts], axis="columns").rename_axis("student")
    whole["total"] = whole[[*column_of.values()]].sum(axis="columns")
    whole["total_of"] = total_of
    whole["total"] = whole["total"].where(whole["total_of"] > 0)
    return whole, column_of
