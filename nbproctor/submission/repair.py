"""Turns what students really hand in into something gradable, or says why not.

Whatever a student's file claims about itself is ignored: kinds, points and the text
of locked cells come from the master. Of the student's, only the text of solution
cells and of cells of their own counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbproctor.notebook import MasterNotebook
from nbproctor.submission import read
from nbproctor.submission.match import Match, match_cells
from nbproctor.submission.read import Handed, Ungradable
from nbproctor.submission.rebuild import rebuild

__all__ = ["Repaired", "Ungradable", "repair"]

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


def repair(folder: Path, master: MasterNotebook) -> Repaired:
    """Find the notebook of `master` in a student's folder and make it gradable.

    Parameters
    ----------
    folder : Path
        What the student handed in; only read.
    master : MasterNotebook
        The assignment.

    Raises
    ------
    Ungradable
        No file in the folder is this notebook; the message says what is wrong.
    """
    handed, matched, notes = _choose(folder, master)
    notes += handed.notes
    if handed.language.lower() not in ("python", "ipython"):
        notes.append(
            f"Your notebook asked for a '{handed.language}' kernel; Python was used."
        )
    cells, changes = rebuild(handed.cells, matched, master)
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


def _choose(folder: Path, master: MasterNotebook) -> tuple[Handed, Match, list[str]]:
    """Return the file to grade: the right name first, else the best match."""
    wanted = f"{master.notebook}.ipynb"
    failures: list[str] = []
    found: list[tuple[int, Handed, Match]] = []
    for path in read.candidates(folder, master.notebook):
        try:
            handed = read.read(path)
        except Ungradable as failure:
            failures.append(failure.reason)
            continue
        match = match_cells(handed.cells, master)
        answered = sum(
            cell.kind in ("solution", "task")
            and handed.cells[position]["source"].strip() != cell.stub.strip()
            for position, cell in match.items()
        )
        if any(cell.kind in ("solution", "task", "test") for cell in match.values()):
            found.append((answered, handed, match))
            if path.name == wanted:
                break
        else:
            failures.append(
                f"No cell of '{read.readable(path.name)}' belongs to this assignment."
            )
    if not found:
        raise Ungradable(failures[0])
    named = [entry for entry in found if entry[1].path.name == wanted]
    # Of several, the one with the most answered exercises; the first on a tie.
    _, handed, match = named[0] if named else max(found, key=lambda entry: entry[0])
    notes = []
    place = read.readable(handed.path.relative_to(folder))
    if place != wanted:
        notes.append(f"Your notebook was found as '{place}', graded as '{wanted}'.")
    if len(found) > 1 and not named:
        notes.append(
            f"You handed in {len(found)} notebooks; '{place}' was graded, because "
            "most exercises are answered in it."
        )
    notes += [f"{failure} Another file was graded." for failure in failures[:3]]
    return handed, match, notes
