"""Summary, the first screen of a feedback page: a row an exercise, and what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nbproctor.pages import causes
from nbproctor.pages.data import Mark, Submission, grade_id
from nbproctor.pages.outline import Exercise, Outline
from nbproctor.pages.tested import State, Test, tested


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
    known = {verdict.cell_id: verdict for verdict in submission.verdicts}
    cells = {cell.id: cell for cell in outline.master.cells}
    marks = [
        submission.marks.get(name, Mark(None))
        for name in (*exercise.tests, *exercise.by_hand)
        if cells[name].points
    ]
    by_hand = any(mark.by_hand for mark in marks)
    excuse = causes.excuse(exercise, lost, by_hand)
    tests = [
        tested(cells[name], known.get(name), submission.marks.get(name), full, excuse)
        for name in exercise.tests
    ]
    if exercise.by_hand and any(mark.points is None for mark in marks):
        state: State = "waiting"
    elif points is None:
        state = "not-run"
    elif full:
        through = any(t.state == "given" and t.max_points for t in tests)
        state = "given" if through else "passed"
    elif not points and (
        causes.untouched(exercise, outline, own) or causes.unsolved(tests)
    ):
        state = "not-started"
    else:
        state = "partly" if points else "failed"
    cause, look = causes.why(exercise, state, tests, own)
    if state == "given":
        cause = excuse
    return Row(
        exercise=exercise,
        state=state,
        points=points,
        cause=cause,
        look=look,
        tests=tests,
        by_hand=by_hand,
        commented=any(
            submission.comments.get(name) for name in (exercise.id, *exercise.by_hand)
        ),
    )
