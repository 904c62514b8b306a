"""Scores of a class as a table, as the gradebook has them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbgrader import api
from nbgrader.api import (
    BaseCell,
    Grade,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
)
from sqlalchemy import Select, select

from nbproctor.nbgrader.course import directory, load_config
from nbproctor.nbgrader.gradebook import find_assignment, open_gradebook
from nbproctor.nbgrader.masters import master_notebooks

if TYPE_CHECKING:
    import pandas as pd


def scores(course: Path, assignment: str) -> pd.DataFrame:
    """Return the class's scores as they stand in the gradebook.

    Returns
    -------
    DataFrame
        Index: student id. One column an exercise in source order (points, the sum
        of its test cells), then ``total`` (points after a late penalty, never below
        0). NaN: not graded, or nothing handed in. A cell graded outside any
        exercise has a column of its own name.

    Raises
    ------
    CourseError
        The assignment is unknown to the source or to the gradebook.
    """
    import pandas as pd  # a quarter of a second, which few commands need

    view = directory(load_config(course))
    column_of = {
        (master.notebook, cell.id): cell.exercise or cell.id
        for master in master_notebooks(view, assignment)
        for cell in master.cells
        if cell.points
    }
    columns = list(dict.fromkeys(column_of.values()))
    with open_gradebook(view) as book:
        id = find_assignment(book, assignment).id
        students = [student for (student,) in book.db.execute(select(Student.id))]
        rows = list(book.db.execute(_grades(id)))
        late = {student: penalty for student, penalty in book.db.execute(_late(id))}
    table = pd.DataFrame(
        rows, columns=["student", "notebook", "cell", "auto", "manual", "extra"]
    )
    # As nbgrader's own `Grade.score`: what a person gave counts before the test's.
    table["score"] = table.manual.fillna(table.auto) + table.extra.fillna(0.0)
    keys = zip(table.notebook, table.cell, strict=True)
    table["column"] = [column_of.get(key) for key in keys]
    table["missing"] = table.score.isna()
    by_exercise = table.groupby(["student", "column"])
    points = by_exercise.agg(score=("score", "sum"), missing=("missing", "any"))
    wide = points.score.mask(points.missing).unstack()  # a part is no score
    wide = wide.reindex(index=sorted(students), columns=columns).astype(float)
    penalty = pd.Series(late, dtype=float).reindex(wide.index).fillna(0.0)
    wide["total"] = (wide.sum(axis=1, skipna=False) - penalty).clip(lower=0.0)
    return wide.rename_axis(index="student", columns=None)


def _grades(assignment: str) -> Select[Any]:
    """Select student, notebook, cell and the three kinds of points of each grade."""
    return (
        select(
            SubmittedAssignment.student_id,
            api.Notebook.name,
            BaseCell.name,
            Grade.auto_score,
            Grade.manual_score,
            Grade.extra_credit,
        )
        .select_from(Grade)
        .join(SubmittedNotebook, SubmittedNotebook.id == Grade.notebook_id)
        .join(
            SubmittedAssignment,
            SubmittedAssignment.id == SubmittedNotebook.assignment_id,
        )
        .join(api.Notebook, api.Notebook.id == SubmittedNotebook.notebook_id)
        .join(BaseCell, BaseCell.id == Grade.cell_id)
        .where(SubmittedAssignment.assignment_id == assignment)
    )


def _late(assignment: str) -> Select[Any]:
    """Select the points that each student loses for being late."""
    submission = SubmittedAssignment
    return select(submission.student_id, submission.late_submission_penalty).where(
        submission.assignment_id == assignment
    )
