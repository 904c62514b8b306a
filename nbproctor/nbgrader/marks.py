"""Marks of an assignment in the gradebook, read once for all callers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import fsum
from typing import Any, NamedTuple

from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    Notebook,
    SubmittedAssignment,
    SubmittedNotebook,
)
from sqlalchemy import Select, select

from nbproctor.nbgrader.gradebook import CellKey, SharedGradebook
from nbproctor.results import Mark, total_of

ROWS = 10_000  # in memory at the same time

# Submission, notebook, and what is read of each submitted notebook, or of each cell.
_NOTEBOOKS = (
    select(SubmittedAssignment.student_id, Notebook.name)
    .select_from(SubmittedNotebook)
    .join(SubmittedNotebook.assignment)
    .join(SubmittedAssignment.assignment)
    .join(SubmittedNotebook.notebook)
)
_SUBMISSIONS = _NOTEBOOKS.add_columns(
    SubmittedNotebook.late_submission_penalty, SubmittedAssignment
)
_GRADES = (
    _NOTEBOOKS.add_columns(
        BaseCell.name,
        Grade.auto_score,
        Grade.manual_score,
        Grade.extra_credit,
        Grade.needs_manual_grade,
    )
    .join(SubmittedNotebook.grades)
    .join(Grade.cell)
    .execution_options(yield_per=ROWS)
)
_COMMENTS = (
    _NOTEBOOKS.add_columns(BaseCell.name, Comment.manual_comment)
    .join(SubmittedNotebook.comments)
    .join(Comment.cell)
    .where(Comment.manual_comment != "")
)


class CellGrade(NamedTuple):
    """One graded cell in the gradebook."""

    notebook: str
    cell: str
    worth: float
    auto: float | None
    manual: float | None
    extra: float | None
    # Has no score yet, or only one that a person gave to another answer.
    needs_manual_grade: bool

    @property
    def score(self) -> float | None:
        """Points by hand or else of the test, without extra credit; None: no score."""
        return self.auto if self.manual is None else self.manual

    @property
    def points(self) -> float | None:
        """Points with extra credit; None: not graded.

        Like nbgrader's `Grade.score`, except that a missing score is not 0.
        """
        if self.score is None:
            return None
        return self.score + (self.extra or 0.0)

    @property
    def is_too_high(self) -> bool:
        """Whether the score is above the maximum: this was changed since.

        Neither a test nor formgrader gives more, except as extra credit.
        """
        return (self.score or 0.0) > self.worth

    @property
    def by_hand(self) -> bool:
        """Whether a person gave some of these points."""
        return self.manual is not None or bool(self.extra)

    @property
    def to_do(self) -> str:
        """The cell, for a person who has to grade it; and whether it has a mark."""
        if self.by_hand:
            return f"{self.cell} (has a mark for an earlier answer)"
        return self.cell


@dataclass(slots=True)
class StudentMarks:
    """One student's submission in the gradebook."""

    timestamp: datetime | None = None  # when it was submitted (UTC), if that is known
    late: float = 0.0  # seconds after the due date
    grades: Sequence[CellGrade] = ()  # of each graded cell, in the assignment's order
    # Notebook → points taken off for submitting late.
    penalties: dict[str, float] = field(default_factory=dict)
    # Notebook → cell → what a person wrote about it.
    comments: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def penalty(self) -> float:
        """Points taken off for submitting late."""
        return fsum(self.penalties.values())

    @property
    def earned(self) -> float:
        """Points before the late penalty."""
        return fsum(grade.points or 0.0 for grade in self.grades)

    @property
    def max_score(self) -> float:
        """What the assignment is worth."""
        return fsum(grade.worth for grade in self.grades)

    @property
    def waiting(self) -> list[CellGrade]:
        """The cells that a person still has to grade."""
        return [grade for grade in self.grades if grade.needs_manual_grade]

    @property
    def reviewed(self) -> set[CellKey]:
        """Notebook and cell of each mark that a person gave to these answers."""
        return {
            (grade.notebook, grade.cell)
            for grade in self.grades
            if grade.by_hand and not grade.needs_manual_grade
        }

    def marks(self, notebook: str) -> dict[str, Mark]:
        """Return the mark of each graded cell of a notebook."""
        return {
            grade.cell: Mark(grade.points, grade.points is not None and grade.by_hand)
            for grade in self.grades
            if grade.notebook == notebook
        }

    def total(self) -> float | None:
        """Return the points after a late penalty; None: a part has no score."""
        points = [grade.points for grade in self.grades if grade.worth]
        if None in points:
            return None
        return self.total_so_far()

    def total_so_far(self) -> float | None:
        """Return the same for the parts that have a score; None: no part has one."""
        points = [grade.points for grade in self.grades]
        scores = [score for score in points if score is not None]
        return total_of(scores, self.penalty) if scores else None


def read_marks(
    book: SharedGradebook,
    assignment: str,
    student: str | None,
) -> defaultdict[str, StudentMarks]:
    """Read the marks of a class, or of one student: student id → marks.

    The marks of a student who submitted nothing are empty. There is one query for each
    table. Equal grades share one object, which saves memory in a large class.
    """
    worth_of = book.find_worth(assignment)
    chosen = [Assignment.name == assignment]
    if student is not None:
        chosen.append(SubmittedAssignment.student_id == student)

    def rows_of(query: Select[Any]) -> Any:
        return book.db.execute(query.where(*chosen))

    marks = defaultdict[str, StudentMarks](StudentMarks)
    for student_id, notebook, penalty, submission in rows_of(_SUBMISSIONS):
        record = marks[student_id]
        record.timestamp = submission.timestamp
        record.late = float(submission.total_seconds_late or 0)
        record.penalties[notebook] = float(penalty or 0)
    grades = defaultdict[str, dict[CellKey, CellGrade]](dict)
    same: dict[CellGrade, CellGrade] = {}
    for student_id, notebook, cell, *scores in rows_of(_GRADES):
        grade = CellGrade(notebook, cell, worth_of[notebook, cell], *scores)
        grades[student_id][notebook, cell] = same.setdefault(grade, grade)
    for student_id, by_cell in grades.items():
        in_order = [by_cell[key] for key in worth_of if key in by_cell]
        marks[student_id].grades = in_order
    for student_id, notebook, cell, text in rows_of(_COMMENTS):
        marks[student_id].comments.setdefault(notebook, {})[cell] = text
    return marks
