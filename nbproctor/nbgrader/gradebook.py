"""Gradebook of nbgrader: open it, check it, write comments, withdraw scores.

A course has one `SharedGradebook` for a whole run (`speed.share_gradebook`).
"""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partialmethod
from typing import Any

from nbgrader.api import (
    BaseCell,
    Comment,
    Grade,
    Gradebook,
    MissingEntry,
    SubmittedAssignment,
    SubmittedNotebook,
)
from sqlalchemy import select
from sqlalchemy.exc import SAWarning
from sqlalchemy.orm import Session, load_only

from nbproctor import sanitize
from nbproctor.cells import list_few
from nbproctor.nbgrader.failures import CourseError
from nbproctor.notebook import MasterNotebook
from nbproctor.results import Verdict

# nbgrader builds its objects in an order of which SQLAlchemy warns needlessly.
warnings.filterwarnings("ignore", category=SAWarning, module="nbgrader")


CellKey = tuple[str, str]
"""Notebook and cell."""


class _Session(Session):
    """A session of `SharedGradebook.transaction`."""

    def commit(self) -> None:
        """Do nothing: the transaction commits later."""


class SharedGradebook(Gradebook):  # type: ignore[misc]
    """A gradebook that many open and close; its connections close with the last one.

    Cells of the source do not change while it is open, so they are read once. A
    transaction reads all grades of a submission with one query, and all comments with
    another.
    """

    def __init__(self, db_url: str, course_id: str) -> None:
        super().__init__(db_url, course_id)
        self.url = db_url
        self._depth = 0
        self._cells: dict[tuple[str, ...], Any] = {}
        # Table, notebook, assignment and student → cell → row.
        self._rows: dict[tuple[Any, ...], dict[str, Any]] = {}

    def __enter__(self) -> SharedGradebook:
        self._depth += 1
        return self

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        self.close()

    def close(self) -> None:
        """End the session and all connections, if this was the last user."""
        if not self._depth:
            self._cells.clear()
            super().close()

    @contextmanager
    def transaction(self) -> Iterator[Callable[[], None]]:
        """Delay all commits until the yielded function is called.

        Without this call, nothing is written, not even after a kill. With SQLite,
        nobody else can write in between, so values that were read stay valid.
        """
        with self.engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")

            def commit() -> None:
                self.db.flush()
                connection.commit()

            self.db.remove()
            self.db.registry.set(_Session(connection))
            self._rows.clear()
            try:
                yield commit
            finally:
                self.db.remove()

    def find_worth(self, assignment: str) -> dict[CellKey, float]:
        """Return notebook and graded cell, in order → points of an assignment.

        `CourseError`: the gradebook does not have it.
        """
        key = ("find_worth", assignment)
        if key not in self._cells:
            self._cells[key] = {
                (notebook.name, cell.name): cell.max_score
                for notebook in find_assignment(self, assignment).notebooks
                for cell in [*notebook.grade_cells, *notebook.task_cells]
            }
        worth: dict[CellKey, float] = self._cells[key]
        return worth

    def _found_once(self, find: str, *names: str) -> Any:
        """Return a row that no run changes, so that it is read only once."""
        key = (find, *names)
        if key not in self._cells:
            self._cells[key] = getattr(super(), find)(*names)
            self.db.expunge(self._cells[key])
        return self._cells[key]

    find_source_cell = partialmethod(_found_once, "find_source_cell")
    find_graded_cell = partialmethod(_found_once, "find_graded_cell")

    def _find_row(
        self,
        table: Any,
        cell: str,
        notebook: str,
        assignment: str,
        student: str,
    ) -> Any:
        """Return a grade or a comment; nbgrader looks each up by four joins."""
        key = table, notebook, assignment, student
        if key not in self._rows:
            submitted = self.find_submission_notebook(notebook, assignment, student)
            # Without the values that nbgrader computes for each row by separate
            # queries.
            columns = [getattr(table, column.key) for column in table.__table__.columns]
            rows = (
                self.db.query(BaseCell.name, table)
                .join(table, table.cell_id == BaseCell.id)
                .filter(table.notebook_id == submitted.id)
                .options(load_only(*columns))
            )
            self._rows[key] = {name: row for name, row in rows}
        if cell not in self._rows[key]:
            raise MissingEntry(f"No such {table.__name__.lower()}: {cell}")
        return self._rows[key][cell]

    find_grade = partialmethod(_find_row, Grade)
    find_comment = partialmethod(_find_row, Comment)


def find_assignment(book: Gradebook, assignment: str) -> Any:
    """Return an assignment's row; `CourseError` if there is none."""
    try:
        return book.find_assignment(assignment)
    except MissingEntry:
        raise CourseError(
            f"The gradebook does not have {assignment!r} yet. Make its release here "
            f"once: `nbproctor release {assignment}`"
        ) from None


def find_deadlines(book: Gradebook, row: Any) -> defaultdict[str, Any]:
    """Return the deadline of each student, in UTC; None: no deadline.

    Students with an extension are in it; for all others, it is the due date. `row` is
    that of an assignment. Not all rows of submissions are read, because `watch` calls
    this at every poll.
    """
    table = SubmittedAssignment
    extensions = select(table.student_id, table.extension).where(
        table.assignment_id == row.id, table.extension.isnot(None)
    )
    due = row.duedate
    deadlines = defaultdict[str, Any](lambda: due)
    if due is not None:
        for student, extension in book.db.execute(extensions):
            deadlines[student] = due + extension
    return deadlines


def check_gradebook(book: SharedGradebook, expected: Iterable[MasterNotebook]) -> None:
    """Check that the gradebook has the cells of the source.

    `CourseError`: the release was never made, or the source has changed since.
    """
    for master in expected:
        assignment = master.assignment
        course = find_assignment(book, assignment).course_id
        if course != book.course_id:
            raise CourseError(
                f"The gradebook {book.url} belongs to the course {course!r}, not to "
                f"{book.course_id!r}. Correct c.CourseDirectory.course_id, or move "
                "that gradebook away and make the release again."
            )
        try:
            notebook = book.find_notebook(master.notebook, assignment)
        except MissingEntry:
            changed = [f"the whole notebook '{master.notebook}'"]
        else:
            worth = book.find_worth(assignment)
            source_cells = {
                c.id: (c.locked and c.source, c.points)
                for c in master.cells
                if c.is_stored
            }
            gradebook_cells = {
                c.name: (c.locked and c.source, worth.get((master.notebook, c.name), 0))
                for c in notebook.source_cells
            }
            differences = gradebook_cells.items() ^ source_cells.items()
            changed = sorted(dict(differences))
        if changed:
            raise CourseError(
                f"The source of {assignment!r} has changed since the release "
                f"was made ({list_few(changed)}). Make the release again, then grade."
            )


def unscore(grade: Grade) -> None:
    """Take back an automatic score that says nothing.

    In nbgrader, *not graded* means that there is no score, and *needs manual grade*.
    """
    grade.auto_score = None
    grade.needs_manual_grade = True


def withdraw(notebook: SubmittedNotebook, reason: str) -> None:
    """Withdraw the test scores of a notebook that could not be graded; write why.

    An older score must not count for a newer submission, and there must be no 0. Scores
    by hand stay.
    """
    notebook.late_submission_penalty = None
    for grade in notebook.grades:
        unscore(grade)
    for comment in notebook.comments:
        comment.auto_comment = f"Not graded. {sanitize.markdown(reason)}"


def write_comments(
    notebook: SubmittedNotebook,
    sentences: Sequence[str],
    verdicts: Sequence[Verdict],
) -> None:
    """Write automatic comments for the student next to the answers.

    Formgrader and the feedback page show them: `sentences` at the first answer, and at
    each exercise which marks were earned by follow-through.
    """
    followed = [v for v in verdicts if v.source == "follow-through"]
    if not sentences and not followed:
        return
    names = [cell.name for cell in notebook.notebook.source_cells]
    texts = list(sentences)
    for comment in sorted(notebook.comments, key=lambda row: names.index(row.name)):
        texts += [
            f"{verdict.cell_id}: {verdict.message}"
            for verdict in followed
            if verdict.exercise == comment.name
        ]
        if texts:
            # A feedback page renders this Markdown, which contains names of a student's
            # files.
            text = " ".join(filter(None, [*texts, comment.auto_comment]))
            comment.auto_comment = sanitize.markdown(text)
            texts = []
