"""Cells that were renamed, added or removed after somebody was graded.

nbgrader refuses such a release for good. Here the gradebook is adapted to it, once its
copy is made and somebody has read what becomes of the marks.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from nbgrader.api import (
    Comment,
    Grade,
    Gradebook,
    GradeCell,
    MissingEntry,
    SolutionCell,
    SourceCell,
    SubmittedNotebook,
    TaskCell,
)
from sqlalchemy import make_url

from nbproctor.nbgrader.course import Course
from nbproctor.nbgrader.failures import CourseError
from nbproctor.notebook import Cell, MasterNotebook

_TABLES = {"grade": GradeCell, "solution": SolutionCell, "task": TaskCell}
_Key = tuple[Any, str]  # table and name


@dataclass
class _Changes:
    """What is to be done with the cells of one notebook in the gradebook."""

    notebook: Any  # its row
    gone: dict[_Key, Any] = field(default_factory=dict)  # → row
    new: dict[_Key, Cell] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, notebook: Any, master: MasterNotebook) -> _Changes:
        sources: list[Any] = notebook.source_cells
        rows = [*notebook.grade_cells, *notebook.solution_cells, *notebook.task_cells]
        known = {(type(row), row.name): row for row in [*rows, *sources]}
        wanted: dict[_Key, Cell] = {}
        for cell in filter(lambda cell: cell.is_stored, master.cells):
            wanted[SourceCell, cell.id] = cell
            for flag, table in _TABLES.items():
                if cell.nbgrader.get(flag):
                    wanted[table, cell.id] = cell
        made = cls(
            notebook,
            {key: row for key, row in known.items() if key not in wanted},
            {key: cell for key, cell in wanted.items() if key not in known},
        )
        for row in sources:
            for cell in wanted.values():
                if made._is_renamed(row, cell):
                    made.renamed[row.name] = cell.id
        return made

    def _is_renamed(self, row: Any, cell: Cell) -> bool:
        """Whether a cell is another one but for its name: of the same kind and text."""
        tables = [
            {table for table, name in keys if name == wanted}
            for keys, wanted in ((self.gone, row.name), (self.new, cell.id))
        ]
        text = row.source in (cell.source, cell.stub)
        taken = row.name in self.renamed or cell.id in self.renamed.values()
        return text and not taken and SourceCell in tables[0] and tables[0] == tables[1]

    def told(self, course: Course) -> Iterator[str]:
        """Yield what becomes of each cell, and of whose marks."""
        for old, name in self.renamed.items():
            yield f"'{old}' is called '{name}' now and keeps its marks"
        for name, cell in {cell.id: cell for cell in self.new.values()}.items():
            if name not in self.renamed.values():
                worth = f" ({cell.points:g} points)" if cell.points else ""
                yield f"'{name}'{worth} is new and has no marks yet"
        marks = course.marks(self.notebook.assignment.name)
        for name in dict.fromkeys(name for _, name in self.gone):
            if name not in self.renamed:
                hand = [
                    student
                    for student, record in marks.items()
                    if name in record.comments.get(self.notebook.name, {})
                    or any(g.by_hand for g in record.grades if g.cell == name)
                ]
                by_hand = f", and what was given by hand to {', '.join(hand)}"
                yield f"'{name}' goes with its marks{by_hand if hand else ''}"

    def apply(self, book: Gradebook) -> None:
        """Write them; the caller commits."""
        for (_, name), row in self.gone.items():
            if name in self.renamed:
                row.name = self.renamed[name]
                continue
            for each in (*getattr(row, "grades", ()), *getattr(row, "comments", ())):
                book.db.delete(each)
            book.db.delete(row)
        submissions: list[SubmittedNotebook] = self.notebook.submissions
        for (table, name), cell in self.new.items():
            if name in self.renamed.values():
                continue
            values = {"name": name, "notebook": self.notebook}
            if table is not SolutionCell:  # SaveCells of nbgrader fills in the rest
                values["cell_type"] = cell.nbgrader["cell_type"]
            if table in (GradeCell, TaskCell):
                values["max_score"] = cell.points
            row = table(**values)
            book.db.add(row)
            for each in submissions:
                if table in (GradeCell, TaskCell):
                    book.db.add(Grade(cell=row, notebook=each))
                if table in (SolutionCell, TaskCell):
                    book.db.add(Comment(cell=row, notebook=each))
        book.db.flush()


def check_cells(course: Course, assignment: str, change: bool = False) -> Path | None:
    """Check that a release may be made: that nobody has marks for other cells.

    With `change`, the gradebook is adapted instead; returns the copy that was made of
    it first. `CourseError` says what would become of whose marks.
    """
    file = Path(make_url(course.view.db_url).database or "")
    if course.view.db_url.startswith("sqlite") and not file.exists():
        return None
    with course.gradebook() as book, book.transaction() as commit:
        found = []
        for master in course.masters(assignment):
            with suppress(MissingEntry):
                notebook = book.find_notebook(master.notebook, assignment)
                changes = _Changes.of(notebook, master)
                if notebook.submissions and (changes.gone or changes.new):
                    found.append(changes)
        if not found:
            return None
        if not change:
            told = "; ".join(each for changes in found for each in changes.told(course))
            raise CourseError(
                f"Students have marks for other cells of {assignment!r}: {told}. To "
                "have it so: `release --change-cells`, which keeps a copy of the "
                "gradebook, then `grade`. All other marks by hand stay."
            )
        copy = _copy(course.view.db_url, file)
        for changes in found:
            changes.apply(book)
        commit()
        return copy


def _copy(url: str, file: Path) -> Path:
    if not url.startswith("sqlite"):
        raise CourseError(
            "Only the copy of a SQLite gradebook can be made here: its cells cannot be "
            "changed otherwise. Make a new assignment, under another name."
        )
    copy = file.with_suffix(f".{datetime.now():%Y-%m-%d_%H%M%S}{file.suffix}")
    with closing(sqlite3.connect(file)) as book, closing(sqlite3.connect(copy)) as kept:
        book.backup(kept)
    return copy
