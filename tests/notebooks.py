"""Cells and notebooks as nbgrader writes them, for assignments made in a test."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import pytest

from nbproctor.notebook import Cell, MasterNotebook
from nbproctor.results import StudentCell

Notebook = dict[str, Any]
Submitted = tuple[StudentCell, ...]


def read_json(path: Path) -> Any:
    """Return what a file of JSON contains."""
    return json.loads(path.read_text("utf-8"))


def read_notebook(path: Path) -> nbformat.NotebookNode:
    """Read a notebook as nbformat does."""
    return nbformat.read(path, as_version=4)


def cell(name: str, source: str, kind: str = "code", **flags: Any) -> Notebook:
    """Return a locked cell, or with flags another that nbgrader knows."""
    meta = {
        "grade_id": name,
        "grade": False,
        "solution": False,
        "locked": True,
    }
    new_cell = {
        "cell_type": kind,
        "id": name,
        "metadata": {"nbgrader": meta | {"schema_version": 3, "task": False} | flags},
        "source": source,
    }
    return new_cell | (
        {"outputs": [], "execution_count": None} if kind == "code" else {}
    )


# What nbgrader says of a cell that everybody gets.
LOCKED = {
    "locked": True,
    "solution": False,
    "grade": False,
}
# What a word behind the name of a cell says of it.
WORDS: dict[str, Notebook] = {
    "markdown": {"kind": "markdown"},
    "solution": {"solution": True, "locked": False},
    "test": {"grade": True},
}


def parts(text: str) -> list[tuple[list[str], str]]:
    """Return the words of each line that begins with three dashes, and what follows."""
    cells = [part.partition("\n") for part in text.split("\n--- ")[1:]]
    return [(head.split(), source) for head, _, source in cells]


def cells_of(text: str) -> list[Notebook]:
    """Return the cells below lines such as ``--- name test 2``: one of two points."""
    cells = []
    for (name, *words), source in parts(text):
        flags: Notebook = {}
        for word in words:
            flags |= WORDS.get(word) or {"points": float(word)}
        cells.append(cell(name, source, **flags))
    return cells


def student_cells(pairs: Iterable[tuple[str | None, str]]) -> Submitted:
    """Return the cells of a submission from their ids and texts."""
    return tuple(StudentCell(n, *pair) for n, pair in enumerate(pairs))


def find_cell(master: MasterNotebook, name: str) -> Cell:
    """Return the cell of a master notebook with this id."""
    return next(cell for cell in master.cells if cell.id == name)


@contextmanager
def modules_beside(folder: Path) -> Iterator[None]:
    """Let cells that are run here import the modules of their folder, for a while."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield
    for path in folder.glob("*.py"):  # or a fork server would look for them
        sys.modules.pop(path.stem, None)


def submitted(cells: Iterable[Cell], answers: Mapping[str, str]) -> Submitted:
    """Return what a student submits: the stubs of these cells, or answers by id."""
    return student_cells(
        (cell.id, answers.get(cell.id, cell.stub))
        for cell in cells
        if cell.kind not in ("helper", "text", "task")
    )


def notebook(cells: list[Notebook]) -> Notebook:
    """Return a notebook of these cells."""
    return {
        "cells": cells,
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
