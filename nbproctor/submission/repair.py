"""Repair: make what a student handed in gradable, or say why it cannot be graded.

Whatever a student's file claims about itself is ignored: kinds, points and the text
of locked cells come from the master. Only the text of solution cells, and of cells that
the student added, is taken from the file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from nbproctor.cells import grader_of
from nbproctor.notebook import MasterNotebook
from nbproctor.results import StudentCell
from nbproctor.submission.files import (
    FILE_COST,
    Budget,
    Candidate,
    Ungradable,
    candidates,
)
from nbproctor.submission.match import plan
from nbproctor.submission.read import SIDES, Handed
from nbproctor.submission.rebuild import Rebuilt

__all__ = ["Repaired", "Ungradable", "repair", "student_cells"]

_FORMAT = {
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


@dataclass(frozen=True)
class Repaired:
    """A notebook (format 4.5) that can be graded, as JSON has it."""

    notebook: dict[str, Any]  # every cell of the master that nbgrader knows once
    notes: list[str]  # sentences for the student on everything that was changed
    path: Path  # of the file that it was read from
    answered: bool = True  # whether anything says more than what was handed out


def repair(
    folder: Path, master: MasterNotebook, siblings: Collection[str] = ()
) -> Repaired:
    """Find the notebook of `master` in a student's folder and make it gradable.

    `siblings` are the names of the assignment's other notebooks: their files are not
    this one. `Ungradable`: no file in the folder is this notebook, and why.
    """
    reading, others, notes = _choose(folder, master, siblings)
    handed = reading.handed
    cells, changes = reading.rebuilt.notebook()
    notes += _complete(cells, reading, others) if master.repairs else ()
    notes += handed.notes
    if handed.language.lower() not in ("python", "ipython"):
        notes.append(
            f"Your notebook asked for a '{handed.language}' kernel; Python was used."
        )
    if reading.joined:
        notes.append("Cells that were split inside a statement were joined again.")
    answered = bool(reading.answers) or not master.of_kind("solution", "task")
    return Repaired({"cells": cells} | _FORMAT, notes + changes, handed.path, answered)


def student_cells(cells: Sequence[Any]) -> list[StudentCell]:
    """Return the code of a notebook as the engine takes it."""
    found = []
    for index, cell in enumerate(cells):
        if cell["cell_type"] == "code":
            grader = cell["metadata"].get("nbgrader") or {}
            name = grader.get("grade_id") or cell.get("id")
            found.append(StudentCell(index, name, cell["source"]))
    return found


class _Reading(NamedTuple):
    """A notebook that is this assignment."""

    handed: Handed
    rebuilt: Rebuilt
    joined: int
    answers: dict[str, str]


def _choose(
    folder: Path, master: MasterNotebook, siblings: Collection[str]
) -> tuple[_Reading, list[_Reading], list[str]]:
    """Return the file that answers most, of equals the likeliest, others, and notes."""
    wanted = f"{master.notebook}.ipynb"
    budget = Budget()
    likely = candidates(folder, master.notebook, siblings, budget)
    failures: dict[int, str] = {}
    readings: dict[int, _Reading] = {}
    notes = []
    # The likeliest first, then as many as can be: those that cost least.
    cost = [(each.is_script, each.cost) for each in likely]
    for position in [0, *sorted(range(1, len(likely)), key=cost.__getitem__)]:
        answered = any(reading.answers for reading in readings.values())
        if answered and likely[position].is_script:
            break
        if readings and budget.is_low:
            looked = len(readings) + len(failures)
            notes.append(
                f"Your files are too big for all to be looked at: {looked} of "
                f"{len(likely)} were, one of which was graded."
            )
            break
        try:
            readings[position] = _read(likely[position], master, budget)
        except Ungradable as failure:
            failures[position] = str(failure)
        except MemoryError as failure:  # the others may be smaller
            failures[position] = str(likely[position].unreadable(failure))
    if not readings:
        raise Ungradable(failures[0])
    readings = dict(sorted(readings.items()))
    best = max(readings, key=lambda position: len(readings[position].answers))
    chosen = readings[best]
    name = chosen.handed.name
    if name != wanted:
        notes.append(f"Your notebook was found as '{name}', graded as '{wanted}'.")
    others = [
        reading
        for position, reading in readings.items()
        if reading.answers != chosen.answers and (reading.answers or position < best)
    ]
    if others:
        most, count = len(chosen.answers), len(others) + 1
        notes.append(
            f"You handed in {count} notebooks; '{name}' was graded: no other answers "
            f"more than its {most} exercises."
        )
    notes += [
        f"{failure} Another file was graded."
        for position, failure in sorted(failures.items())
        if position < best
    ]
    return chosen, others, notes


def _complete(
    cells: list[dict[str, Any]], chosen: _Reading, others: list[_Reading]
) -> Iterator[str]:
    """Answer what the chosen file leaves open as other files do, and say so."""
    answered = {*chosen.answers}
    by_name = {grader_of(cell).get("grade_id"): cell for cell in cells}
    for other in sorted(others, key=lambda reading: -len(reading.answers)):
        more = [name for name in other.answers if name not in answered]
        for cell in other.rebuilt.notebook()[0] if more else ():
            if (name := grader_of(cell).get("grade_id")) in more:
                by_name[name].update(cell)
        if more:
            answered |= {*more}
            yield (
                f"What it leaves open was taken from '{other.handed.name}': "
                f"{', '.join(more)}."
            )


def _read(candidate: Candidate, master: MasterNotebook, budget: Budget) -> _Reading:
    """Read a file; where a merge left two versions in it, the one that answers more."""
    data = candidate.content()
    budget.bytes -= FILE_COST + max(candidate.cost, len(data))
    if hashlib.sha256(data).hexdigest() in master.scripts:
        raise Ungradable(f"'{candidate.name}' was handed out with the assignment.")
    versions = []
    for side in SIDES:
        try:
            handed = Handed(candidate, data, side, master.repairs)
            made = plan(handed.cells, master)
            rebuilt = Rebuilt(made)
            # From an assignment without exercises, no answer can be missing.
            if not rebuilt.belongs and master.of_kind("solution", "task", "test"):
                raise Ungradable(
                    f"No cell of '{handed.name}' belongs to this assignment."
                )
            versions.append(_Reading(handed, rebuilt, made.joined, rebuilt.answers))
        except Ungradable:
            if side == SIDES[-1] and not versions:
                raise
        else:
            if not versions[-1].handed.merged:
                break
    return max(versions, key=lambda version: len(version.answers))
