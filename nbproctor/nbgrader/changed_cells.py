"""Cells that were renamed, added or removed after somebody was graded.

nbgrader always refuses such a release. Here, a teacher first reads what happens to the
marks; then the gradebook is copied, and adapted to the release.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from itertools import product
from pathlib import Path
from typing import Any

from nbgrader import api
from nbgrader.api import (
    Base,
    Gradebook,
    GradeCell,
    MissingEntry,
    SolutionCell,
    SourceCell,
    TaskCell,
)
from sqlalchemy import delete, insert, make_url, select

from nbproctor.nbgrader.course import Course
from nbproctor.nbgrader.failures import CourseError
from nbproctor.nbgrader.gradebook import SharedGradebook
from nbproctor.nbgrader.marks import StudentMarks
from nbproctor.notebook import Cell, MasterNotebook

_TABLES = {
    "grade": GradeCell,
    "solution": SolutionCell,
    "task": TaskCell,
}


class _Changes:
    """Changes to make in the gradebook, to the cells of one notebook.

    A new cell with the kind and text of a removed one counts as renamed.
    """

    def __init__(self, notebook: Any, master: MasterNotebook) -> None:
        self.notebook = notebook  # its row
        removed = defaultdict(list)
        for kind in ("source", "grade", "solution", "task"):
            for row in getattr(notebook, f"{kind}_cells"):
                removed[row.name].append(row)
        new = {cell.id: cell for cell in master.cells if cell.is_stored}
        for name in removed.keys() & new.keys():
            if _kinds(new[name]) == {*map(type, removed[name])}:
                del removed[name], new[name]
        renamed = {}
        for old, rows in [*removed.items()]:
            kinds = {*map(type, rows)}
            for name, cell in new.items():
                has_same_text = rows[0].source in (cell.source, cell.stub)
                if has_same_text and _kinds(cell) == kinds:
                    renamed[old] = name, rows
                    del removed[old], new[name]
                    break
        self.removed = removed  # name → rows
        self.new = new  # name → cell
        self.renamed = renamed  # old name → new name, rows

    def describe(self, marks: Mapping[str, StudentMarks]) -> Iterator[str]:
        """Yield what happens to each cell, and whose marks this affects."""
        for old, (name, _) in self.renamed.items():
            yield f"'{old}' is now called '{name}' and keeps its marks"
        for name, cell in self.new.items():
            points = f" ({cell.points:g} points)" if cell.points else ""
            yield f"'{name}'{points} is new and has no marks yet"
        for name in self.removed:
            sentence = f"'{name}' is removed with its marks"
            if students := _find_marked(marks, self.notebook.name, name):
                sentence += f", including those given by hand to {students}"
            yield sentence

    def apply(self, book: Gradebook) -> None:
        """Write the changes; the caller commits. nbgrader's SaveCells adds the rest."""
        for name, rows in self.renamed.values():
            for row in rows:
                row.name = name
        for rows in self.removed.values():
            for row in rows:
                for part in ("grades", "comments"):
                    for entry in getattr(row, part, ()):
                        book.db.delete(entry)
                book.db.delete(row)
        for name, cell in self.new.items():
            for table in _kinds(cell):
                row = table(name=name, notebook=self.notebook)
                parts = []
                if table is not SolutionCell:
                    row.cell_type = cell.nbgrader["cell_type"]
                if table in (GradeCell, TaskCell):
                    row.max_score = cell.points
                    parts.append(api.Grade)
                if table in (SolutionCell, TaskCell):
                    parts.append(api.Comment)
                book.db.add(row)
                for part, submission in product(parts, self.notebook.submissions):
                    book.db.add(part(cell=row, notebook=submission))


def _find_marked(
    marks: Mapping[str, StudentMarks],
    notebook: str,
    cell: str,
) -> str:
    """Return the students with a mark or a comment by hand for a cell."""
    return ", ".join(
        student
        for student, record in marks.items()
        if cell in record.comments.get(notebook, {})
        or any(
            (grade.notebook, grade.cell) == (notebook, cell) and grade.by_hand
            for grade in record.grades
        )
    )


def _describe_points(course: Course, book: SharedGradebook) -> Iterator[str]:
    """Yield each graded cell to which the release gives other points."""
    with suppress(CourseError):  # not released yet
        worth = book.find_worth(course.assignment)
        marks = course.marks()
        for master in course.masters:
            for cell in master.cells:
                points = worth.get((master.notebook, cell.id), cell.points)
                if points != cell.points:
                    sentence = f"{cell.id}: {points:g} → {cell.points:g}"
                    if students := _find_marked(marks, master.notebook, cell.id):
                        sentence += f". Marks given by hand stay: {students}"
                    yield sentence


def _kinds(cell: Cell) -> set[Any]:
    """Return the tables in which nbgrader has a row for a cell."""
    graded = {table for flag, table in _TABLES.items() if cell.nbgrader.get(flag)}
    return {SourceCell, *graded}


def _find_changes(course: Course, book: Gradebook) -> list[_Changes]:
    """Compare notebooks for which there are submissions with the course's own."""
    all_changes = []
    for master in course.masters:
        with suppress(MissingEntry):  # not released yet
            notebook = book.find_notebook(master.notebook, master.assignment)
            changes = _Changes(notebook, master)
            is_changed = changes.removed or changes.new or changes.renamed
            if is_changed and notebook.submissions:
                all_changes.append(changes)
    return all_changes


def check_cells(
    course: Course,
    change: bool = False,
) -> tuple[Path | None, list[str]]:
    """Check that nobody has marks for cells that the release does not have.

    With `change`, the gradebook is copied and adapted instead. Returns the copy, and a
    sentence for each cell with other points. `CourseError` says what would happen to
    whose marks.
    """
    url = make_url(course.coursedir.db_url)
    is_file = url.get_backend_name() == "sqlite"
    if is_file and not Path(url.database or "").exists():
        return None, []
    with course.gradebook() as book, book.transaction() as commit:
        points = [*_describe_points(course, book)]
        all_changes = _find_changes(course, book)
        if not all_changes:
            return None, points
        if not change:
            sentences: list[str] = []
            marks = course.marks()
            for changes in all_changes:
                sentences += changes.describe(marks)
            raise CourseError(
                f"Students already have marks for {course.assignment!r}, and its "
                f"graded cells have changed: {'; '.join(sentences)}. To accept this, "
                "run `release --change-cells`, which first copies the gradebook, and "
                "then `grade`. All other marks given by hand are kept."
            )
        copy = course.root / f"gradebook.{datetime.now():%Y-%m-%d_%H%M%S}.db"
        _copy(book, copy)
        for changes in all_changes:
            changes.apply(book)
        commit()
        return copy, points


def _copy(book: Gradebook, file: Path) -> None:
    """Copy all rows into a file that nbgrader can open, wherever the gradebook is."""
    with Gradebook(f"sqlite:///{file}") as copy:
        copy.db.execute(delete(api.Course))  # made by default
        for table in Base.metadata.sorted_tables:
            rows = [dict(row._mapping) for row in book.db.execute(select(table))]
            if rows:
                copy.db.execute(insert(table), rows)
        copy.db.commit()
