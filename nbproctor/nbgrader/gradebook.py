"""Gradebook of nbgrader: open it, check it, write remarks, withdraw scores.

nbgrader opens a new gradebook ten times a submission. Each of these makes an engine and
a connection, and asks for every table whether it is there; nbgrader has no setting for
it. So a course has one `SharedGradebook`, and in a run the name ``Gradebook`` in the
modules that the run goes through stands for it.
"""

from __future__ import annotations

import contextlib
import sqlite3
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any, NamedTuple

from nbgrader import api
from nbgrader.api import (
    BaseCell,
    Comment,
    Grade,
    Gradebook,
    MissingEntry,
    Notebook,
    SubmittedAssignment,
    SubmittedNotebook,
)
from nbgrader.utils import parse_utc
from sqlalchemy import event, insert, text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import SAWarning

from nbproctor import sanitize
from nbproctor.nbgrader.source import CourseError
from nbproctor.notebook import MasterNotebook
from nbproctor.results import Verdict

# How long a commit waits for another program that is writing.
BUSY_MILLISECONDS = 60_000

# nbgrader builds its objects in an order that SQLAlchemy comments on, harmlessly.
warnings.filterwarnings("ignore", category=SAWarning, module="nbgrader")


@event.listens_for(Engine, "connect")
def _fast_and_safe(connection: Any, _record: Any) -> None:
    """Let commits to a SQLite gradebook not wait for the disk one by one.

    nbgrader commits about forty times a submission, each a wait for the disk. With a
    write-ahead log and ``synchronous=NORMAL``, SQLite appends every commit to the log
    and waits only when it moves the log into the file. After a crash, even of the
    machine, the gradebook is whole and consistent; a power cut may lose the last few
    commits, and the same grading command makes them again, because a submission
    counts as graded only when its ``grading.json`` is there.
    """
    if isinstance(connection, sqlite3.Connection):
        connection.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")


# Where a grading run opens gradebooks, under the name ``Gradebook``.
USERS = (
    "nbgrader.converters.autograde",
    "nbgrader.preprocessors.latesubmissions",
    "nbgrader.preprocessors.overwritecells",
    "nbgrader.preprocessors.overwritekernelspec",
    "nbgrader.preprocessors.saveautogrades",
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
    """A gradebook that many open and close; its connections close with the last one.

    Source cells do not change while it is open, so each is read once.
    """

    def __init__(self, db_url: str, course_id: str) -> None:
        super().__init__(db_url, course_id)
        self.url = db_url
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
        """End the session, and all connections, if nobody uses it any more."""
        if not self._depth:
            for known in (self._source_cells, self._grade_cells, self._empty):
                known.clear()
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
def one_gradebook(shared: SharedGradebook) -> Iterator[None]:
    """Let everything in a grading run use one gradebook of the course."""
    for table, column in _INDICES.items():
        name = f"nbproctor_{table}_{column}"
        shared.db.execute(
            text(f"CREATE INDEX IF NOT EXISTS {name} ON {table} ({column})")
        )
    shared.db.commit()
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


def graded(submission: SubmittedAssignment) -> bool:
    """Whether anything of a submission has a score, given by a test or by hand."""
    return any(
        _scored(grade) for notebook in submission.notebooks for grade in notebook.grades
    )


def _scored(grade: Any) -> bool:
    return grade.auto_score is not None or grade.manual_score is not None


def find_assignment(book: Gradebook, assignment: str) -> Any:
    """Return an assignment's row; `CourseError` if there is none."""
    try:
        return book.find_assignment(assignment)
    except MissingEntry:
        raise CourseError(
            f"The gradebook does not know {assignment!r} yet. Make its release here, "
            f"once: `nbproctor release {assignment}` (or `python kit.py release`)."
        ) from None


def check_gradebook(book: SharedGradebook, expected: Iterable[MasterNotebook]) -> None:
    """Check that the gradebook's cells are the source's: grading needs both.

    Raises
    ------
    CourseError
        The release was never made, or the source has changed since.
    """
    for master in expected:
        course = find_assignment(book, master.assignment).course_id
        if course != book.course_id:
            raise CourseError(
                f"The gradebook {book.url} is of the course {course!r}, "
                f"not of {book.course_id!r}: correct "
                "c.CourseDirectory.course_id, or move that gradebook away and make "
                "the release again."
            )
        try:
            notebook = book.find_notebook(master.notebook, master.assignment)
        except MissingEntry:
            changed = [f"the whole notebook '{master.notebook}'"]
        else:
            points = {
                c.name: c.max_score
                for c in (*notebook.grade_cells, *notebook.task_cells)
            }
            known = {
                c.name: (c.source if c.locked else "", points.get(c.name, 0.0))
                for c in notebook.source_cells
            }
            wanted = {
                c.id: (c.source if c.locked else "", c.points)
                for c in master.cells
                if c.is_stored
            }
            changed = [
                name
                for name in known.keys() | wanted.keys()
                if known.get(name) != wanted.get(name)
            ]
        if changed:
            raise CourseError(
                f"The source of {master.assignment!r} is not what the gradebook "
                f"was told when the release was made ({_some(changed)}). Make the "
                "release again, then grade."
            )


def _some(names: list[str]) -> str:
    names = sorted(names)
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if names[3:] else "")


def submission(book: Gradebook, assignment: str, student: str) -> SubmittedAssignment:
    """Return the submission, made with its empty grades if it is new."""
    book.update_or_create_student(student)
    return book.update_or_create_submission(assignment, student)


def withdraw(
    book: Gradebook, submission: SubmittedAssignment, reasons: Mapping[str, str]
) -> None:
    """Take back every score of notebooks that could not be graded, and say why.

    An older score must not stand for a newer submission, nor may there be a 0:
    nbgrader knows *not graded* as no score and *needs manual grade*.

    Parameters
    ----------
    reasons : mapping
        Notebook name → why it could not be graded.
    """
    if not reasons:
        return
    for notebook in submission.notebooks:
        if notebook.name not in reasons:
            continue
        notebook.late_submission_penalty = None
        for grade in notebook.grades:
            grade.auto_score = grade.manual_score = grade.extra_credit = None
            grade.needs_manual_grade = True
        for comment in notebook.comments:
            reason = sanitize.markdown(reasons[notebook.name])
            comment.auto_comment = f"Not graded. {reason}"
    book.db.commit()


def unscore(
    book: Gradebook,
    submission: SubmittedAssignment,
    notebook: str,
    cells: Collection[str],
) -> None:
    """Take back the automatic scores of some cells: they say nothing."""
    for submitted in submission.notebooks:
        for grade in submitted.grades:
            if submitted.name == notebook and grade.name in cells:
                grade.auto_score, grade.needs_manual_grade = None, True
    book.db.commit()


def unscored(book: Gradebook, submission: SubmittedAssignment) -> list[str]:
    """Return the names of the cells that have no score yet, by test or by hand."""
    grade, notebook = api.Grade, SubmittedNotebook
    waiting = (
        book.db.query(grade.id)
        .join(notebook, notebook.id == grade.notebook_id)
        .filter(notebook.assignment_id == submission.id)
        .filter(grade.auto_score.is_(None), grade.manual_score.is_(None))
    )
    if waiting.first() is None:  # of most submissions: no need to read all grades
        return []
    return [
        grade.name
        for notebook in submission.notebooks
        for grade in notebook.grades
        if not _scored(grade)
    ]


def remark(
    book: Gradebook,
    submission: SubmittedAssignment,
    notebook: str,
    sentences: Sequence[str],
    verdicts: Sequence[Verdict],
) -> None:
    """Put what a student should know beside the answers, as automatic comments.

    Formgrader and the feedback page show them: `sentences` at the first answer, and
    at each exercise which marks were earned by follow-through.
    """
    followed = [v for v in verdicts if v.source == "follow-through"]
    if not sentences and not followed:
        return
    for submitted in submission.notebooks:
        if submitted.name != notebook:
            continue
        order = {cell.name: i for i, cell in enumerate(submitted.notebook.source_cells)}
        comments = (
            book.db.query(BaseCell.name, api.Comment)
            .join(api.Comment, api.Comment.cell_id == BaseCell.id)
            .filter(api.Comment.notebook_id == submitted.id)
        )
        in_order = sorted(comments, key=lambda row: order.get(row[0], len(order)))
        for position, (exercise, comment) in enumerate(in_order):
            texts = [] if position else list(sentences)
            texts += [
                f"{verdict.cell_id}: {verdict.message}"
                for verdict in followed
                if verdict.exercise == exercise
            ]
            if texts:
                already = [comment.auto_comment] if comment.auto_comment else []
                # A feedback page renders it, with names of a student's files in it.
                comment.auto_comment = sanitize.markdown(" ".join([*texts, *already]))
    book.db.commit()
