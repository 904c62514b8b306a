"""Table of a class's scores, for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan
from typing import TYPE_CHECKING, Any

from rich import box
from rich.columns import Columns
from rich.console import Group
from rich.markup import escape
from rich.table import Table

from nbproctor.notebook import MasterNotebook

if TYPE_CHECKING:
    import pandas as pd

    from nbproctor.results import SubmissionResult


def score_table(
    scores: pd.DataFrame,
    results: list[SubmissionResult],
    masters: Sequence[MasterNotebook],
    names: Mapping[str, str],
    titles: Mapping[str, str],
) -> Group:
    """Lay out students × exercises; a dash is what was not graded, never a 0.

    Parameters
    ----------
    scores : DataFrame
        As `nbproctor.nbgrader.scores` returns them.
    results : list of SubmissionResult
        Who gets a row, with total and status.
    masters : sequence of MasterNotebook
        The assignment, for the points of its exercises.
    names : mapping of str to str
        Student id → name to show, where it is not the id.
    titles : mapping of str to str
        Exercise → its heading, for the legend.
    """
    points = {
        exercise: sum(c.points for c in master.cells if c.exercise == exercise)
        for master in masters
        for exercise in master.exercises
    }
    legend = [
        escape(f"{number} = {titles.get(exercise, exercise)} ({most:g})")
        for number, (exercise, most) in enumerate(points.items(), 1)
    ]
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("student", min_width=12)  # wraps where the terminal is narrow
    for number in range(1, len(points) + 1):
        table.add_column(str(number), justify="right", no_wrap=True)
    table.add_column("total", justify="right", no_wrap=True)
    table.add_column("status", no_wrap=True)
    for result in results:
        earned = scores.loc[result.student].to_dict()
        row = [_score(earned[exercise], most) for exercise, most in points.items()]
        name = names.get(result.student, result.student)
        table.add_row(
            escape(name),
            *row,
            # As the gradebook has it now: somebody may have graded by hand since.
            _score(earned["total"], result.max_score) + _penalty(earned),
            result.status,
        )
    return Group(table, Columns(legend, padding=(0, 2)), "")


def _penalty(earned: Mapping[Any, Any]) -> str:
    """Say what a late penalty took."""
    points = sum(score for column, score in earned.items() if column != "total")
    taken = points - earned["total"]
    return f" (−{taken:g} late)" if taken > 0.005 else ""


def _score(score: float, most: float) -> str:
    if isnan(score):
        return "–"
    return f"{score:g}" if score == most else f"[yellow]{score:g}[/]"
