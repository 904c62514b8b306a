"""Small notebooks for the tests of the judge, and their way through it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from nbproctor.judge.processes import Spawn
from nbproctor.judge.run import grade
from nbproctor.notebook import Cell
from nbproctor.results import Job, Limits, Report, Verdict
from tests.forked import spawn
from tests.notebooks import parts, student_cells
from tests.timing import limits


def usual_limits(call: float = 5.0, cell: float = 10.0) -> Limits:
    """Return limits, in seconds, that no honest answer exceeds."""
    return limits(
        call=call,
        cell=cell,
        submission=60.0,
    )


def cell(name: str, kind: Any, source: str, points: float = 0.0, **fields: Any) -> Cell:
    """Make a cell of a master notebook, of the exercise `f`."""
    new_cell = Cell(name, kind, source, points, "f", False, name, source, {})
    return replace(new_cell, **fields)


def cells_of(text: str) -> tuple[Cell, ...]:
    """Make cells below lines of a name, a kind, and points of a test.

    The first word of a name is its exercise.
    """
    cells = []
    for (name, kind, *points), source in parts(text):
        exercise = name.partition("_")[0] if kind in ("solution", "test") else None
        cells.append(cell(name, kind, source, *map(float, points), exercise=exercise))
    return tuple(cells)


def judged(
    cells: Iterable[Cell],
    *handed_in: tuple[str | None, str],
    start: Spawn = spawn,
    **options: Any,
) -> Report:
    """Judge a notebook that was handed in as these cells: id and text."""
    defaults: dict[str, Any] = {"limits": usual_limits(), "follow_through": False}
    defaults |= options
    return grade(Job(tuple(cells), student_cells(handed_in), **defaults), start)


def earned(report: Report) -> list[float]:
    """Return what each test of a report earns."""
    return [each.points for each in report.verdicts]


def verdict(answer: str, test: str, points: float = 1.0, **fields: Any) -> Verdict:
    """Judge an answer by one test, of whose cell `fields` are."""
    test_cell = cell("test", "test", test, points, **fields)
    cells = cell("f", "solution", answer), test_cell
    (result,) = judged(cells, ("f", answer), ("test", test)).verdicts
    return result
