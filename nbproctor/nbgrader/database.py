"""Gradebook commits that do not wait for the disk one by one."""

from __future__ import annotations

import sqlite3
import warnings
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import SAWarning

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
