"""Test cell on a page: its state, points and message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from nbproctor.notebook import Cell
from nbproctor.pages.data import Mark
from nbproctor.results import Verdict

State = Literal[
    "passed", "given", "partly", "failed", "not-started", "not-run", "waiting"
]
WORDS: dict[State, str] = {
    "passed": "passed",
    "given": "right, given the others",
    "partly": "partly right",
    "failed": "not right yet",
    "not-started": "not started",
    "not-run": "not run",
    "waiting": "to be graded by hand",
}
#: What a page says of a test that ran in the process of the answer.
BESIDE = "judged beside the answer"
_STATES: dict[str, State] = {
    "passed": "passed",
    "failed": "failed",
    "error": "failed",
    "timeout": "failed",
    "died": "failed",
    "not run": "not-run",
}


@dataclass(frozen=True)
class Test:
    """A test cell on the page: what it checked, and what it says.

    Attributes
    ----------
    id, title : str
        Cell, and what its comment says that it checks.
    state : State
        How it went.
    points : float or None
        Earned; None for a test without points, or one that was not run.
    max_points : float
        What it is worth; 0: a public test.
    message : str
        One sentence; empty if there is nothing to say.
    printed : str
        What a public test printed.
    by_hand : bool
        A person gave these points.
    beside : bool
        It was judged beside the answer, whose code could have forged the result.
    """

    id: str
    title: str
    state: State
    points: float | None
    max_points: float
    message: str
    printed: str = ""
    by_hand: bool = False
    beside: bool = False


def tested(
    cell: Cell, verdict: Verdict | None, mark: Mark | None, full: bool, excuse: str
) -> Test:
    """Say how one test went.

    Parameters
    ----------
    full
        Whether its exercise has all points, so that nothing here may look lost.
    excuse
        What is then said, from `causes.excuse`.
    """
    points = mark.points if mark else None
    if not cell.points:
        points = None
    message, printed = "", ""
    state: State = "not-run"
    if verdict is not None:
        message, printed = verdict.message, verdict.printed
        state = _STATES.get(verdict.outcome, "failed")
        if verdict.outcome == "failed" and verdict.points:
            state = "partly"
        if verdict.source == "follow-through" and verdict.points >= verdict.max_points:
            state, message = "given", excuse
        elif not cell.points and full and state != "passed":
            # Its exercise has all points: the mistake is elsewhere, or the test's own.
            state, message = "given", excuse
    elif points is not None:
        state = "passed" if points >= cell.points else "partly" if points else "failed"
    by_hand = bool(mark and mark.by_hand)
    if by_hand and points is not None:
        state = "passed" if points >= cell.points else "partly" if points else "failed"
    return Test(
        id=cell.id,
        title=opening_comment(cell.stub) or cell.id,
        state=state,
        points=points,
        max_points=cell.points,
        message=message,
        printed=printed,
        by_hand=by_hand,
        beside=verdict is not None and verdict.where == "beside",
    )


def opening_comment(source: str) -> str:
    """Return the comment that a cell begins with, as one line."""
    lines = []
    for line in source.strip().splitlines():
        if not line.startswith("#") or line.startswith("###"):
            break
        lines.append(line.lstrip("# ").strip())
    return " ".join(lines)
