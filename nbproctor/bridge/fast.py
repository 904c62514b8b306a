"""Making nbgrader's gradebook quick, without changing what it does.

Of the time that nbgrader itself takes for a submission, most goes into opening the
gradebook nine times, asking it for each cell by itself, and waiting for the disk.
"""

from __future__ import annotations

import contextlib
import sqlite3
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from nbgrader import api
from nbgrader.api import BaseCell, Comment, Grade, Gradebook, MissingEntry
from nbgrader.converters import autograde
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import (
    latesubmissions,
    overwritecells,
    overwritekernelspec,
    saveautogrades,
)
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import SAWarning
from sqlalchemy.orm import scoped_session, sessionmaker

# nbgrader builds its objects in an order that SQLAlchemy comments on, harmlessly.
warnings.filterwarnings("ignore", category=SAWarning, module="nbgrader")

# The modules that say `Gradebook` while a submission is graded.
_USERS = (
    api,
    autograde,
    latesubmissions,
    overwritecells,
    overwritekernelspec,
    saveautogrades,
)


@event.listens_for(Engine, "connect")
def _fast_and_safe(connection: Any, _record: Any) -> None:
    """Let commits to a SQLite gradebook not wait for the disk one by one.

    nbgrader commits about forty times a submission, each a wait for the disk. With a
    write-ahead log and ``synchronous=NORMAL``, SQLite appends every commit to the log
    and waits only when it moves the log into the file. After a crash, even of the
    machine, the gradebook is whole and consistent; a power cut may lose the last few
    commits, and the same grading command makes them again, because a submission
    counts as graded only when its ``report.json`` is there.
    """
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")


class Quick(Gradebook):  # type: ignore[misc]
    """A gradebook on an open engine, which reads all cells of a notebook at once.

    One run of the autograder makes a subclass of it with `first`, whose engine it
    shares, and `cells`, which the run does not change. What the run does change is
    read anew by every instance.
    """

    first: Gradebook
    cells: dict[Any, dict[str, Any]]

    def __init__(self, db_url: str, *_: Any, **__: Any) -> None:
        self.engine = self.first.engine
        self.course_id = self.first.course_id
        self.authenticator = self.first.authenticator
        # Nothing else writes to what a session has read.
        self.db = scoped_session(sessionmaker(self.engine, expire_on_commit=False))
        self._read: dict[Any, dict[str, Any]] = {}

    def close(self) -> None:
        """End the session; the engine stays."""
        self.db.remove()

    def find_source_cell(self, name: str, notebook: str, assignment: str) -> Any:
        """Find a cell as it was released."""
        key = "source", notebook, assignment
        return _find(self.cells, key, name, lambda: self._source_cells(*key[1:]))

    def find_graded_cell(self, name: str, notebook: str, assignment: str) -> Any:
        """Find a cell that has points."""
        key = "graded", notebook, assignment
        return _find(self.cells, key, name, lambda: self._graded_cells(*key[1:]))

    def find_grade(self, name: str, *where: str) -> Any:
        """Find the grade of a cell of a submission."""
        return _find(self._read, (Grade, *where), name, lambda: self._of(Grade, *where))

    def find_comment(self, name: str, *where: str) -> Any:
        """Find the comment on a cell of a submission."""
        key = Comment, *where
        return _find(self._read, key, name, lambda: self._of(Comment, *where))

    def _source_cells(self, *where: str) -> dict[str, Any]:
        return {cell.name: cell for cell in self.find_notebook(*where).source_cells}

    def _graded_cells(self, *where: str) -> dict[str, Any]:
        found = self.find_notebook(*where)
        return {cell.name: cell for cell in (*found.grade_cells, *found.task_cells)}

    def _of(self, table: Any, *where: str) -> dict[str, Any]:
        submitted = self.find_submission_notebook(*where)
        query = self.db.query(BaseCell.name, table).join(table.cell)
        return dict(query.filter(table.notebook_id == submitted.id).all())


def _find(
    tables: dict[Any, dict[str, Any]],
    key: Any,
    name: str,
    read: Callable[[], dict[str, Any]],
) -> Any:
    if key not in tables:
        tables[key] = read()
    try:
        return tables[key][name]
    except KeyError:
        raise MissingEntry(f"There is no entry for {name!r} in {key}") from None


@contextlib.contextmanager
def kept_open(there: CourseDirectory) -> Iterator[None]:
    """Let nbgrader work with `Quick` gradebooks on one engine while this lasts."""
    first = Gradebook(there.db_url, there.course_id)
    quick = type("Gradebook", (Quick,), {"first": first, "cells": {}})
    for module in _USERS:
        module.Gradebook = quick
    try:
        yield
    finally:
        for module in _USERS:
            module.Gradebook = Gradebook
        first.close()
