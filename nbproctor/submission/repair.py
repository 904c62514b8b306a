"""Repair: make a submission gradable, or say why it cannot be graded.

Only the text of solution cells, and of cells that the student added, is taken from the
student's file. Kinds, points and the text of locked cells come from the master, and
what the file says about them is ignored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbproctor.cells import RawNotebook, grade_id
from nbproctor.notebook import PYTHON_NOTEBOOK, MasterNotebook
from nbproctor.results import StudentCell
from nbproctor.sanitize import quote
from nbproctor.submission.files import (
    FILE_COST,
    Budget,
    Candidate,
    Ungradable,
    candidates,
)
from nbproctor.submission.read import read_versions
from nbproctor.submission.rebuild import Rebuilt

__all__ = ["Repaired", "Ungradable", "repair", "student_cells"]

MAX_SCRIPTS = 20  # that are read in addition to notebooks
MAX_FAILURES = 10  # notes on files that cannot be read


@dataclass(frozen=True)
class Repaired:
    """A notebook that can be graded."""

    notebook: RawNotebook  # format 4.5; every cell of the master that nbgrader stores
    notes: list[str]  # sentences for the student on everything that was changed
    path: Path  # of the file that it was read from
    answered: bool  # whether the student has answered anything
    is_complete: bool = True  # whether the file has a cell for each exercise


def repair(
    folder: Path,
    master: MasterNotebook,
    siblings: Collection[str] = (),
) -> Repaired:
    """Find the notebook of `master` in a student's folder and make it gradable.

    `siblings` are the names of the assignment's other notebooks, whose files are left
    out. `Ungradable`: no file in the folder is this notebook; the message says why.
    """
    readings, notes = _readings(folder, master, siblings)
    chosen, *others = readings
    version = chosen.version
    name = version.file.name
    shown = version.file.quoted
    expected = f"{master.notebook}.ipynb"
    if name != expected:
        notes.insert(0, f"The notebook {shown} was graded as '{expected}'.")
    others = [
        other
        for other in others
        if other.answers != chosen.answers
        and (other.answers or other.number < chosen.number)
    ]
    other_names = {other.version.file.name for other in others} - {name}
    if other_names:
        notes.append(
            f"{len(other_names) + 1} notebooks were submitted. {shown} was graded, "
            f"because no other notebook answers more than {len(chosen.answers)} "
            "exercises."
        )
    additions = {}
    for other in others if master.repairs else ():
        more = [
            name
            for name in other.answers
            if name not in chosen.answers and name not in additions
        ]
        for exercise in more:
            additions[exercise] = other.answer_with_own_code(exercise, chosen)
        if more:
            notes.append(
                f"Missing answers were taken from {other.version.label}: "
                f"{', '.join(more)}."
            )
    notebook, changes = chosen.notebook(additions)
    notes += version.notes
    exercises = master.of_kind("solution", "task")
    if chosen.answers and 2 * len(chosen.lost) > len(exercises):
        changes.append("It may be the wrong file.")
    if version.language not in ("python", "ipython"):
        notes.append(
            f"The notebook was set to a {quote(version.language)} kernel. Python was "
            "used."
        )
    return Repaired(
        notebook={"cells": notebook} | PYTHON_NOTEBOOK,
        notes=notes + changes,
        path=version.file.path,
        answered=bool(chosen.answers) or not exercises,
        is_complete=not chosen.lost,
    )


def student_cells(cells: Sequence[Any]) -> list[StudentCell]:
    """Return the code cells of a notebook, for the engine."""
    return [
        StudentCell(
            index=index,
            id=grade_id(cell) or cell.get("id"),
            source=cell["source"],
        )
        for index, cell in enumerate(cells)
        if cell["cell_type"] == "code"
    ]


def _rank(rebuilt: Rebuilt) -> tuple[bool, bool, int, int]:
    """Sort key: most answers first, and scripts after notebooks with answers."""
    count = len(rebuilt.answers)
    return not count, rebuilt.version.file.is_script, -count, rebuilt.number


def _readings(
    folder: Path,
    master: MasterNotebook,
    siblings: Collection[str],
) -> tuple[list[Rebuilt], list[str]]:
    """Return the versions in all files, the one to be graded first; and notes."""
    budget = Budget()
    files = candidates(
        folder=folder,
        notebook=master.notebook,
        siblings=siblings,
        budget=budget,
    )
    exercises = {cell.id for cell in master.of_kind("solution", "task")}
    failures = {}
    readings: list[Rebuilt] = []
    notes = []
    # The likeliest file first, then those that cost least, to read as many as possible.
    first, *others = enumerate(files)
    others.sort(key=lambda entry: (entry[1].is_script, entry[1].cost))
    limit = sum(not file.is_script for file in files) + MAX_SCRIPTS
    for count, (number, file) in enumerate([first, *others][:limit]):
        answered = {name for reading in readings for name in reading.answers}
        if file.is_script and readings and exercises <= answered:
            break
        if readings and budget.is_low:
            notes.append(
                f"The files are too big to read all of them. {count} of {len(files)} "
                "were read, and one of these was graded."
            )
            break
        try:
            readings += _read(number, file, master, budget)
        except Ungradable as failure:
            failures[number] = str(failure)
        except MemoryError as failure:  # the others may be smaller
            failures[number] = str(file.unreadable(failure))
    if not readings:
        raise Ungradable(failures[0])
    readings.sort(key=_rank)
    passed_over = [
        f"{failure} Another file was graded."
        for number, failure in sorted(failures.items())
        if number < readings[0].number and not files[number].is_script
    ]
    notes += passed_over[:MAX_FAILURES]
    return readings, notes


def _read(
    number: int,
    file: Candidate,
    master: MasterNotebook,
    budget: Budget,
) -> list[Rebuilt]:
    """Return all versions in a file that belong to this assignment."""
    data = file.content()
    budget.bytes -= FILE_COST + max(file.cost, len(data))
    if hashlib.sha256(data).hexdigest() in master.scripts:
        raise file.fault("is a file of the assignment itself")
    has_exercises = bool(master.of_kind("solution", "task", "test"))
    versions = read_versions(file, data, repairs=master.repairs)
    rebuilt = [Rebuilt(version, number, master) for version in versions]
    readings = [each for each in rebuilt if each.belongs or not has_exercises]
    if not readings:
        raise Ungradable(
            f"No cell of {file.quoted} belongs to this assignment's notebook "
            f"'{master.notebook}'. It is another file."
        )
    return readings
