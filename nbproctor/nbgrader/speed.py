"""Make nbgrader's own work faster; nothing here changes a mark.

nbgrader opens a new gradebook ten times a submission. Each makes an engine and a
connection, and checks whether every table exists. nbgrader has no setting for this. So
during a run, the name ``Gradebook`` in nbgrader's modules returns one shared gradebook.
nbgrader reads rows one by one, and commits forty times a submission.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from nbgrader import api
from nbgrader.api import Gradebook
from nbgrader.dbutil import ALEMBIC_DIR
from sqlalchemy import event, text
from sqlalchemy.engine import Engine

from nbproctor.nbgrader.gradebook import SharedGradebook

# How long a commit waits for another program that is writing.
BUSY_MILLISECONDS = 60_000


@event.listens_for(Engine, "connect")
def _configure_sqlite(connection: Any, _record: Any) -> None:
    """Configure a SQLite gradebook so that commits do not wait for the disk.

    nbgrader commits about forty times a submission. With a write-ahead log and
    ``synchronous=NORMAL``, the gradebook is whole after any crash; a power cut may
    lose the last few commits, and the same grading command makes them again, because
    only a submission with its ``grading.json`` counts as graded.
    """
    if isinstance(connection, sqlite3.Connection):
        connection.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")


def _get_alembic_version() -> str | None:
    """Return the version of the tables of a new gradebook.

    nbgrader starts the command `alembic` for it. That takes a second, and it has to be
    on PATH.
    """
    from alembic.script import ScriptDirectory

    return ScriptDirectory(ALEMBIC_DIR).get_current_head()


api.get_alembic_version = _get_alembic_version


# Modules in which a grading run opens a ``Gradebook``.
GRADEBOOK_USERS = (
    "nbgrader.converters.autograde",
    "nbgrader.preprocessors.latesubmissions",
    "nbgrader.preprocessors.overwritecells",
    "nbgrader.preprocessors.overwritekernelspec",
    "nbgrader.preprocessors.saveautogrades",
)
# Columns by which nbgrader looks up rows, but for which it has no index: without one,
# each submission reads the grades of the whole class.
_INDICES = {
    "grade": "notebook_id",
    "comment": "notebook_id",
    "submitted_notebook": "assignment_id",
}


@contextmanager
def share_gradebook(shared: SharedGradebook) -> Iterator[None]:
    """Let everything in a grading run use one gradebook of the course."""
    for table, column in _INDICES.items():
        name = f"nbproctor_{table}_{column}"
        shared.db.execute(
            text(f"CREATE INDEX IF NOT EXISTS {name} ON {table} ({column})")
        )
    shared.db.commit()

    def open_shared(db_url: str, *course_id: str) -> Gradebook:
        return shared if db_url == shared.url else Gradebook(db_url, *course_id)

    modules = [import_module(name) for name in GRADEBOOK_USERS]
    try:
        for module in modules:
            setattr(module, "Gradebook", open_shared)  # noqa: B010
        yield
    finally:
        for module in modules:
            setattr(module, "Gradebook", Gradebook)  # noqa: B010
