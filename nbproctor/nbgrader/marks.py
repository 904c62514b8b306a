"""Marks, comments and lateness of a class, read from the gradebook at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from nbgrader import api
from nbgrader.api import BaseCell, Gradebook, SubmittedAssignment, SubmittedNotebook

from nbproctor.pages.summary import Mark


@dataclass
class Record:
    """Gradebook entries of one student, by notebook and cell."""

    name: str = ""
    late: float = 0.0
    marks: dict[str, dict[str, Mark]] = field(default_factory=dict)
    comments: dict[str, dict[str, str]] = field(default_factory=dict)
    penalties: dict[str, float] = field(default_factory=dict)


def read_records(book: Gradebook, assignment: str) -> dict[str, Record]:
    """Read the gradebook once for the whole class: student → record."""
    found: dict[str, Record] = {}
    for submitted in book.db.query(SubmittedAssignment).filter(
        SubmittedAssignment.assignment.has(name=assignment)
    ):
        first, last = submitted.student.first_name, submitted.student.last_name
        found[submitted.student_id] = Record(
            name=" ".join(part for part in (first, last) if part),
            late=float(submitted.total_seconds_late or 0),
        )
    rows: Any = (
        book.db.query(
            SubmittedAssignment.student_id,
            api.Notebook.name,
            SubmittedNotebook.late_submission_penalty,
            SubmittedNotebook.id,
        )
        .select_from(SubmittedNotebook)
        .join(
            SubmittedAssignment,
            SubmittedAssignment.id == SubmittedNotebook.assignment_id,
        )
        .join(api.Notebook, api.Notebook.id == SubmittedNotebook.notebook_id)
        .filter(SubmittedAssignment.assignment.has(name=assignment))
    )
    places: dict[str, tuple[Record, str]] = {}
    for student, notebook, penalty, key in rows:
        record = found[student]
        places[key] = record, notebook
        record.penalties[notebook] = float(penalty or 0)
    grade, comment = api.Grade, api.Comment
    rows = book.db.query(
        grade.notebook_id,
        BaseCell.name,
        grade.auto_score,
        grade.manual_score,
        grade.extra_credit,
    ).join(BaseCell, BaseCell.id == grade.cell_id)
    for key, cell, auto, manual, extra in rows:
        if key in places:
            record, notebook = places[key]
            mark = _mark(auto, manual, extra)
            record.marks.setdefault(notebook, {})[cell] = mark
    rows = (
        book.db.query(comment.notebook_id, BaseCell.name, comment.manual_comment)
        .join(BaseCell, BaseCell.id == comment.cell_id)
        .filter(comment.manual_comment.isnot(None))
    )
    for key, cell, text in rows:
        if key in places and text:
            record, notebook = places[key]
            record.comments.setdefault(notebook, {})[cell] = text
    return found


def _mark(auto: float | None, manual: float | None, extra: float | None) -> Mark:
    given = auto if manual is None else manual
    if given is None:
        return Mark(None)
    by_hand = manual is not None or bool(extra)
    return Mark(given + (extra or 0.0), by_hand, extra or 0.0)
