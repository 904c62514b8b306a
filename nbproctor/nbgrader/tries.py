"""Tries before the deadline: when a student had feedback, and which exercises passed.

They are in a table of their own in the gradebook, so a copy of the gradebook has them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from nbgrader.api import Gradebook
from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    MetaData,
    String,
    Table,
    inspect,
    select,
)

from nbproctor.pages.outline import Exercise, Outline
from nbproctor.pages.summary import Passes, TriedNotebook
from nbproctor.platforms import local_time

# The rows of a student with the same time and the same files are one try.
TRIES = Table(
    "nbproctor_told",
    MetaData(),
    Column("assignment", String(255), nullable=False),
    Column("files", String(64), nullable=False),  # tells them from others
    Column("student", String(128), nullable=False),
    Column("exercise", String(255), nullable=False),  # see `scored_exercises`
    Column("answer", String(64), nullable=False),  # empty; once, a digest of it
    Column("passes", Boolean, nullable=False),
    Column("given", DateTime, nullable=False),  # UTC
)


@dataclass(frozen=True)
class Attempt:
    """One try of a student."""

    when: datetime  # UTC
    files: str
    passes: Passes = field(default_factory=dict)  # by exercise

    def notebook(self, outline: Outline) -> TriedNotebook:
        """Return what a page shows of the try, for one notebook."""
        return TriedNotebook(
            when=local_time(self.when),
            passes={
                exercise.name: self.passes.get(key, False)
                for key, exercise in scored_exercises(outline)
            },
        )


def scored_exercises(outline: Outline) -> Iterator[tuple[str, Exercise]]:
    """Yield those that tests score, with a name that no other notebook has."""
    for exercise in outline.exercises:
        if exercise.tests:
            yield f"{outline.master.notebook} {exercise.id}", exercise


def read_tries(book: Gradebook, assignment: str) -> dict[str, list[Attempt]]:
    """Return the tries of each student, the oldest first."""
    if not inspect(book.engine).has_table(TRIES.name):
        return {}  # nobody has ever used `watch`
    query = select(TRIES).where(TRIES.c.assignment == assignment)
    passes_of = defaultdict[tuple[Any, ...], Passes](dict)
    for row in book.db.execute(query.order_by(TRIES.c.given)):
        passes_of[row.student, row.given, row.files][row.exercise] = row.passes
    tries = defaultdict(list)
    for (student, given, files), passes in passes_of.items():
        tries[student].append(Attempt(given, files, passes))
    return tries


def record_try(
    book: Gradebook,
    assignment: str,
    student: str,
    attempt: Attempt,
) -> None:
    """Write a try into the gradebook."""
    rows = [
        {
            "assignment": assignment,
            "files": attempt.files,
            "student": student,
            "exercise": exercise,
            "answer": "",
            "passes": passes,
            "given": attempt.when,
        }
        for exercise, passes in attempt.passes.items()
    ]
    book.db.execute(TRIES.insert(), rows)
    book.db.commit()
