"""Tables of marks: of a class in one assignment, and of a whole term."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from math import fsum, nan
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbproctor.nbgrader.course import Course
from nbproctor.nbgrader.gradebook import CellKey, find_deadlines
from nbproctor.nbgrader.people import NAME_COLUMNS, names_of
from nbproctor.nbgrader.standings import Standings, participants

if TYPE_CHECKING:
    import pandas as pd

_ABOUT = [*NAME_COLUMNS, "status", "reason", "submitted", "hours_late"]
_MARKS = ["penalty", "total", "max_score"]
# Other columns of tables are exercises; exports add the last two.
_RESERVED = [*_ABOUT, *_MARKS, "student", "late", "due"]
# In the table of a term, after the column of each assignment: its name and this.
_IN_TERM = ["of", "status", "hours_late", "submitted", "due"]


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
            **names_of(participant.person),
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
        reserved=[*NAME_COLUMNS, "student", "total", "total_of", *others],
    )
    column_of = dict(zip(names, chosen.values(), strict=True))
    people_part = pd.DataFrame(columns=NAME_COLUMNS)
    parts = []
    total_of: Any = 0
    for name in names:
        opened = course.for_assignment(name)
        table = class_table(opened, participants(opened))
        people_part = table[NAME_COLUMNS]
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
