"""Repair: make what a student handed in gradable, or say why it cannot be graded.

Whatever a student's file claims about itself is ignored: kinds, points and the text
of locked cells come from the master. Only the text of solution cells, and of cells that
the student added, is taken from the file.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbproctor.notebook import MasterNotebook
from nbproctor.submission import files, read
from nbproctor.submission.answers import unanswered
from nbproctor.submission.decode import SIDES
from nbproctor.submission.files import Candidate, Ungradable
from nbproctor.submission.gather import Gathered, gather
from nbproctor.submission.match import join_split_cells, match_cells
from nbproctor.submission.read import Handed
from nbproctor.submission.rebuild import rebuild

__all__ = ["Repaired", "Ungradable", "repair"]

MAX_BYTES = 600_000_000  # of notebooks that are read to choose among

Notebook = dict[str, Any]


@dataclass(frozen=True)
class Repaired:
    """A notebook (format 4.5) that can be graded.

    Attributes
    ----------
    notebook : dict
        Plain JSON; every cell of the master that nbgrader knows is in it once.
    notes : list of str
        One sentence for the student for everything that was changed.
    path : Path
        The file that it was read from.
    """

    notebook: Notebook
    notes: list[str]
    path: Path


def repair(
    folder: Path, master: MasterNotebook, siblings: Collection[str] = ()
) -> Repaired:
    """Find the notebook of `master` in a student's folder and make it gradable.

    Parameters
    ----------
    folder : Path
        What the student handed in; only read.
    master : MasterNotebook
        The assignment.
    siblings : collection of str
        Names of the assignment's other notebooks: their files are not this one.

    Raises
    ------
    Ungradable
        No file in the folder is this notebook; the message says what is wrong.
    """
    reading, notes = _choose(folder, master, siblings)
    handed = reading.handed
    notes += handed.notes
    if handed.language.lower() not in ("python", "ipython"):
        notes.append(
            f"Your notebook asked for a '{handed.language}' kernel; Python was used."
        )
    if reading.joined:
        notes.append("Cells that were split inside a statement were joined again.")
    cells, changes = rebuild(reading.gathered, master)
    notes += changes
    notebook = {
        "cells": cells,
        "metadata": {
            "kernelspec": {
                "display_name": "Python 3 (ipykernel)",
                "language": "python",
                "name": "python3",
            },
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return Repaired(notebook, notes, handed.path)


@dataclass(frozen=True)
class _Reading:
    """A notebook that is this assignment, with what is answered in it."""

    handed: Handed
    gathered: Gathered
    answers: dict[str, str]  # exercise → its text, where that is more than the stub
    joined: int


def _choose(
    folder: Path, master: MasterNotebook, siblings: Collection[str]
) -> tuple[_Reading, list[str]]:
    """Return the file in which most is answered; of equals, the one named right."""
    wanted = f"{master.notebook}.ipynb"
    failures: dict[int, str] = {}
    readings: dict[int, _Reading] = {}
    room = MAX_BYTES
    likely = files.candidates(folder, master.notebook, siblings)
    for position, candidate in enumerate(likely):
        room -= candidate.path.stat().st_size
        answered = any(reading.answers for reading in readings.values())
        if readings and (room < 0 or (candidate.base.endswith(".py") and answered)):
            break
        try:
            readings[position] = _read(candidate, master)
        except Ungradable as failure:
            failures[position] = str(failure)
    if not readings:
        raise Ungradable(next(iter(failures.values())))
    # `max` takes the first of equals, which is the likeliest.
    best = max(readings, key=lambda position: len(readings[position].answers))
    chosen = readings[best]
    notes = []
    name = chosen.handed.name
    if name != wanted:
        notes.append(f"Your notebook was found as '{name}', graded as '{wanted}'.")
    others = [
        reading
        for position, reading in readings.items()
        if reading.answers != chosen.answers and (reading.answers or position < best)
    ]
    if others:
        second = max(others, key=lambda reading: len(reading.answers))
        most, count = len(chosen.answers), len(second.answers)
        why = (
            f"it answers {most} exercises, '{second.handed.name}' {count}"
            if count < most
            else f"no other answers more than its {most} exercises"
            + (", and it has the right name" if name == wanted else "")
        )
        count = len(others) + 1
        notes.append(f"You handed in {count} notebooks; '{name}' was graded: {why}.")
    notes += [
        f"{reason} Another file was graded."
        for position, reason in failures.items()
        if position < best
    ]
    return chosen, notes


def _read(candidate: Candidate, master: MasterNotebook) -> _Reading:
    """Read a file; where a merge left two versions in it, the one that answers more."""
    versions = []
    for side in SIDES:
        try:
            versions.append(_understand(read.read(candidate, side), master))
        except Ungradable:
            if side == SIDES[-1] and not versions:
                raise
        else:
            if not versions[-1].handed.merged:
                break
    return max(versions, key=lambda version: len(version.answers))


def _understand(handed: Handed, master: MasterNotebook) -> _Reading:
    cells, joined = join_split_cells(handed.cells, master)
    gathered = gather(cells, match_cells(cells, master), master)
    graded = {cell.id for cell in master.of_kind("solution", "task", "test")}
    # Where the assignment itself asks for nothing, nothing can be missing.
    if graded and not any(cell.id in graded for cell in gathered.match.values()):
        raise Ungradable(f"No cell of '{handed.name}' belongs to this assignment.")
    texts = {
        cell.id: gathered.cells[position]["source"]
        for position, cell in gathered.match.items()
        if cell.kind in ("solution", "task")
    }
    answers = {
        cell.id: texts[cell.id]
        for cell in master.of_kind("solution", "task")
        if cell.id in texts and not unanswered(texts[cell.id], cell)
    }
    return _Reading(handed, gathered, answers, joined)
