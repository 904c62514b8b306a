"""The first screen of a feedback page: each exercise in one row, and what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from nbproctor.notebook import Cell
from nbproctor.pages.data import Mark, Submission, grade_id, source_of
from nbproctor.pages.outline import Exercise, Outline, digest
from nbproctor.results import Verdict
from nbproctor.sanitize import one_line

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
_LINE = re.compile(r"in cell `([^`]+)`, line (\d+)")
_PLACE = re.compile(r"\(<[^<>]*>, line (\d+)\)")  # in a SyntaxError
_UNSOLVED = "Not solved yet"  # what `explain` says of it
_WRONG = "but is wrong"  # what `expect` says when it knows no better


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
    """

    id: str
    title: str
    state: State
    points: float | None
    max_points: float
    message: str
    printed: str = ""
    by_hand: bool = False


@dataclass(frozen=True)
class Row:
    """One exercise: points, state, one cause, what to look at first."""

    exercise: Exercise
    state: State
    points: float | None
    cause: str
    look: str
    tests: list[Test] = field(default_factory=list)
    by_hand: bool = False
    commented: bool = False


@dataclass(frozen=True)
class Summary:
    """All that the first screen says.

    Attributes
    ----------
    rows : list of Row
        One an exercise, in source order.
    total : float or None
        After a late penalty, never below 0; None: nothing is graded.
    waiting : float
        Points that a person still has to give.
    """

    rows: list[Row]
    total: float | None
    waiting: float

    @property
    def first(self) -> Row | None:
        """The exercise to begin with: the first that lost points by itself."""
        lost = [row for row in self.rows if row.state in ("failed", "partly")]
        begun = [row for row in self.rows if row.state == "not-started"]
        return next(iter([*lost, *begun]), None)


def summarise(
    submission: Submission, outline: Outline, cells: Sequence[Mapping[str, Any]]
) -> Summary:
    """Say how each exercise went, from the gradebook's points and the verdicts.

    Parameters
    ----------
    cells
        Of the graded notebook, for what the student's own cells raised; may be empty.
    """
    own = {name: cell for cell in cells if (name := grade_id(cell))}
    points = {e.id: _points(e, outline, submission.marks) for e in outline.exercises}
    lost = [
        exercise
        for exercise in outline.exercises
        if (earned := points[exercise.id]) is None or earned < exercise.points
    ]
    rows = [
        _row(exercise, submission, outline, own, points[exercise.id], lost)
        for exercise in outline.exercises
    ]
    waiting = sum(
        cell.points
        for cell in outline.master.cells
        if cell.points and submission.marks.get(cell.id, Mark(None)).points is None
    )
    given = [
        mark.points for mark in submission.marks.values() if mark.points is not None
    ]
    total = max(sum(given) - submission.penalty, 0.0) if given else None
    return Summary(rows, total, waiting if given else 0.0)


def opening_comment(source: str) -> str:
    """Return the comment that a cell begins with, as one line."""
    lines = []
    for line in source.strip().splitlines():
        if not line.startswith("#") or line.startswith("###"):
            break
        lines.append(line.lstrip("# ").strip())
    return " ".join(lines)


def _points(
    exercise: Exercise, outline: Outline, marks: Mapping[str, Mark]
) -> float | None:
    """Return the sum of what is graded; None if nothing of it is."""
    names = {*exercise.tests, *exercise.by_hand}
    given = [
        mark.points
        for name, mark in marks.items()
        if name in names and mark.points is not None
    ]
    return sum(given) if given else None


def _row(
    exercise: Exercise,
    submission: Submission,
    outline: Outline,
    own: Mapping[str, Mapping[str, Any]],
    points: float | None,
    lost: Sequence[Exercise],
) -> Row:
    full = points is not None and points >= exercise.points
    others = _others(exercise, lost)
    known = {verdict.cell_id: verdict for verdict in submission.verdicts}
    cells = {cell.id: cell for cell in outline.master.cells}
    tests = [
        _test(cells[name], known.get(name), submission.marks.get(name), full, others)
        for name in exercise.tests
    ]
    marks = [
        submission.marks.get(name, Mark(None))
        for name in (*exercise.tests, *exercise.by_hand)
        if cells[name].points
    ]
    if exercise.by_hand and all(mark.points is None for mark in marks):
        state: State = "waiting"
    elif points is None:
        state = "not-run"
    elif full:
        through = any(t.state == "given" and t.max_points for t in tests)
        state = "given" if through else "passed"
    elif not points and (_untouched(exercise, outline, own) or _unsolved(tests)):
        state = "not-started"
    else:
        state = "partly" if points else "failed"
    cause, look = _why(exercise, state, tests, own)
    if state == "given":
        cause = f"Fails only because of {others}; you have the points."
    return Row(
        exercise=exercise,
        state=state,
        points=points,
        cause=cause,
        look=look,
        tests=tests,
        by_hand=any(mark.by_hand for mark in marks),
        commented=any(
            submission.comments.get(name) for name in (exercise.id, *exercise.by_hand)
        ),
    )


def _others(exercise: Exercise, lost: Sequence[Exercise]) -> str:
    """Name the exercises that may be why this one fails in the student's notebook."""
    culprits = [e for e in lost if e.id in exercise.needs]
    culprits = culprits or [e for e in lost if e.id != exercise.id]
    names = [f"exercise {e.number}" if e.number else e.title for e in culprits]
    if not names or len(names) > 3:
        return "other exercises"
    return " or ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)


def _test(
    cell: Cell, verdict: Verdict | None, mark: Mark | None, full: bool, others: str
) -> Test:
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
            state = "given"
            message = f"Fails only because of {others}; you have the points."
        elif not cell.points and full and state != "passed":
            # Its exercise has all points: the mistake is elsewhere, or the test's own.
            state = "given"
            message = (
                "Fails only because of other exercises; you have the points."
                if others == "other exercises"
                else f"Fails only because of {others}; you have the points."
            )
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
    )


_STATES: dict[str, State] = {
    "passed": "passed",
    "failed": "failed",
    "error": "failed",
    "timeout": "failed",
    "died": "failed",
    "not run": "not-run",
}


def _untouched(
    exercise: Exercise, outline: Outline, own: Mapping[str, Mapping[str, Any]]
) -> bool:
    """Whether the answer is still what the student was given, or is not there."""
    cell = next(c for c in outline.master.cells if c.id == exercise.id)
    if cell.kind not in ("solution", "task") or not own:
        return False
    if exercise.id not in own:
        return True
    return digest(source_of(own[exercise.id])) == digest(cell.stub)


def _unsolved(tests: Sequence[Test]) -> bool:
    """Whether every test met the exception that stands for an answer."""
    told = [test for test in tests if test.max_points]
    return bool(told) and all(t.message.startswith(_UNSOLVED) for t in told)


def _why(
    exercise: Exercise,
    state: State,
    tests: Sequence[Test],
    own: Mapping[str, Mapping[str, Any]],
) -> tuple[str, str]:
    """Return one cause, and what to look at first."""
    if state in ("passed", "given"):
        return "", ""
    if state == "not-started":
        return "Still as you got it.", ""
    if state == "waiting":
        return "A person reads this answer.", ""
    bad = [t for t in tests if t.state in ("failed", "partly", "not-run")]
    error = _raised(own.get(exercise.id, {}))
    if error:
        found = _PLACE.search(error)
        look = f"Line {found[1]} of your cell." if found else ""
        error = _PLACE.sub("", error).strip()
        return f"Your cell stopped: {error}", look or "The message below your cell."
    told = [t for t in bad if t.max_points and t.message]
    told.sort(key=lambda test: _WRONG in test.message)  # stable: else in source order
    first = next(iter([*told, *bad]), None)
    if first is None:
        return "", ""
    if found := _LINE.search(first.message):
        mine = found[1] == exercise.id
        place = "your cell" if mine else f"the cell `{found[1]}`"
        return first.message, f"Line {found[2]} of {place}."
    if "did not finish" in first.message:
        return first.message, "A loop that never ends, or does far too much."
    if any(not t.max_points for t in bad):
        return first.message, "Its public test fails too: run that in your notebook."
    return first.message, first.title


def _raised(cell: Mapping[str, Any]) -> str:
    """Return the error that a student's cell ended with, in one line."""
    outputs = cell.get("outputs")
    for output in outputs if isinstance(outputs, list) else ():
        if isinstance(output, Mapping) and output.get("output_type") == "error":
            name, text = one_line(output.get("ename"), 60), output.get("evalue")
            return f"{name}: {one_line(text, 160)}" if text else name
    return ""
