"""One gradebook for a whole run: nbgrader opens a new one ten times a submission.

Each of these makes an engine and a connection, and asks for every table whether it is
there. nbgrader has no setting for it, so the name ``Gradebook`` in the modules that a
run goes through stands for one shared object, as long as the run lasts.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from importlib import import_module
from typing import Any, NamedTuple

from nbgrader.api import (
    Comment,
    Grade,
    Gradebook,
    Notebook,
    SubmittedAssignment,
    SubmittedNotebook,
)
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import parse_utc
from sqlalchemy import insert, text

# Where a grading run opens gradebooks, under the name ``Gradebook``.
USERS = (
    "nbgrader.converters.autograde",
    "nbgrader.preprocessors.latesubmissions",
    "nbgrader.preprocessors.overwritecells",
    "nbgrader.preprocessors.overwritekernelspec",
    "nbgrader.preprocessors.saveautogrades",
    "nbproctor.nbgrader.gradebook",
    "nbproctor.nbgrader.preprocessors",
)
# Where nbgrader looks rows up by a column that none of its own indices begins with:
# without these, each submission reads the grades of the whole class.
_INDICES = {
    "grade": "notebook_id",
    "comment": "notebook_id",
    "submitted_notebook": "assignment_id",
}
# What nbgrader calls a gradebook's course where it does not say which.
_DEFAULT_COURSE = "default_course"


class SourceCell(NamedTuple):
    """What nbgrader's ``OverwriteCells`` reads of a source cell."""

    name: str
    cell_type: str
    locked: bool
    source: str
    checksum: str


class GradeCell(NamedTuple):
    """What nbgrader's ``OverwriteCells`` reads of a graded cell."""

    name: str
    max_score: float


class EmptyRows(NamedTuple):
    """The cells for which each submission of a notebook has a grade, or a comment."""

    notebook: str
    grades: list[str]
    comments: list[str]

    @classmethod
    def of(cls, notebook: Notebook) -> EmptyRows:
        """Read them from the gradebook."""
        tasks = [cell.id for cell in notebook.task_cells]
        grades = [cell.id for cell in notebook.grade_cells]
        answers = [cell.id for cell in notebook.solution_cells]
        return cls(notebook.id, grades + tasks, answers + tasks)


class SharedGradebook(Gradebook):  # type: ignore[misc]
    """A gradebook that many open and close, while its engine stays.

    Its session ends when the outermost ``with`` does, as that of a gradebook of one's
    own would. Source cells do not change while a run lasts, so each is read once.
    """

    def __init__(self, db_url: str, course_id: str) -> None:
        super().__init__(db_url, course_id)
        self.url = db_url
        for table, column in _INDICES.items():
            name = f"nbproctor_{table}_{column}"
            self.db.execute(
                text(f"CREATE INDEX IF NOT EXISTS {name} ON {table} ({column})")
            )
        self.db.commit()
        self._depth = 0
        self._source_cells: dict[tuple[str, ...], SourceCell] = {}
        self._grade_cells: dict[tuple[str, ...], GradeCell] = {}
        self._empty: dict[str, tuple[str, list[EmptyRows]]] = {}

    def __enter__(self) -> SharedGradebook:
        self._depth += 1
        return self

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        self.close()

    def close(self) -> None:
        """End the session, if nobody uses it any more; the engine stays."""
        if not self._depth:
            self.db.remove()

    def end(self) -> None:
        """Close the gradebook for good."""
        super().close()

    def add_submission(
        self, assignment: str, student: str, **values: Any
    ) -> SubmittedAssignment:
        """Add a submission and its empty grades and comments, as stock nbgrader does.

        nbgrader reads every cell of the assignment for it, and makes an object of each
        row; here the rows are written at once.
        """
        if "timestamp" in values:
            values["timestamp"] = parse_utc(values["timestamp"])
        if assignment not in self._empty:
            found = self.find_assignment(assignment)
            self._empty[assignment] = found.id, [*map(EmptyRows.of, found.notebooks)]
        of, notebooks = self._empty[assignment]
        submission = SubmittedAssignment(
            assignment_id=of, student_id=self.find_student(student).id, **values
        )
        self.db.add(submission)
        for empty in notebooks:
            notebook = SubmittedNotebook(
                notebook_id=empty.notebook, assignment=submission
            )
            self.db.add(notebook)
            self.db.flush()
            for table, cells in ((Grade, empty.grades), (Comment, empty.comments)):
                if cells:
                    rows = [{"notebook_id": notebook.id, "cell_id": c} for c in cells]
                    self.db.execute(insert(table), rows)
        self.db.commit()
        return submission

    def find_source_cell(self, *names: str) -> SourceCell:
        """Find a source cell by its name, notebook and assignment."""
        if names not in self._source_cells:
            cell = super().find_source_cell(*names)
            fields = (getattr(cell, name) for name in SourceCell._fields)
            self._source_cells[names] = SourceCell(*fields)
        return self._source_cells[names]

    def find_graded_cell(self, *names: str) -> GradeCell:
        """Find a grade cell by its name, notebook and assignment."""
        if names not in self._grade_cells:
            cell = super().find_graded_cell(*names)
            self._grade_cells[names] = GradeCell(cell.name, cell.max_score)
        return self._grade_cells[names]


@contextlib.contextmanager
def one_gradebook(course: CourseDirectory) -> Iterator[None]:
    """Let everything in a grading run use one gradebook of the course."""
    shared = SharedGradebook(course.db_url, course.course_id)
    shared.check_course(_DEFAULT_COURSE)

    def open_shared(db_url: str, *arguments: Any, **options: Any) -> Gradebook:
        if db_url == shared.url:
            return shared
        return Gradebook(db_url, *arguments, **options)

    modules = [import_module(name) for name in USERS]
    before = [vars(module)["Gradebook"] for module in modules]
    try:
        for module in modules:
            setattr(module, "Gradebook", open_shared)  # noqa: B010
        yield
    finally:
        for module, known in zip(modules, before, strict=True):
            setattr(module, "Gradebook", known)  # noqa: B010
        shared.end()
