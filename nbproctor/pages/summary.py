"""Summary of one graded notebook: how each exercise and each of its tests went.

Points come from the gradebook, messages from the verdicts, and errors of the student's
own cells from the graded notebook. Feedback page, annotated notebook and class report
are made from this summary.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from typing import Literal

from nbproctor.cells import RawCell, error_output_of, grade_id, source_of
from nbproctor.notebook import Cell
from nbproctor.pages.outline import Exercise, Outline
from nbproctor.results import Mark, Verdict, points_of, total_of
from nbproctor.sanitize import one_line
from nbproctor.statuses import Status

# In words: `templates/words.html`.
State = Literal[
    "passed", "given", "partly", "failed", "not-started", "waiting", "not-run"
]

_LINE = re.compile(r"in cell `([^`]+)`, line (\d+)")
EARLIER_MARK = (
    "A mark by hand is for an earlier answer. Your teacher will look at the new one."
)
# Why a test may fail although its exercise has all points.
POINTS_BY_HAND = "You have the points: they were given by hand."
MISTAKE_ELSEWHERE = (
    "You have all points of this exercise. The mistake is in another exercise, or this "
    "test is stricter than the graded tests."
)
_WRONG = "but is wrong"  # the message of `expect` without a diagnosis
_SYNTAX_ERROR_LINE = re.compile(r"\(<[^<>]*>, line (\d+)\)")


Passes = dict[str, bool]
"""Name of an exercise → whether all of its tests passed."""


@dataclass(frozen=True)
class TriedNotebook:
    """Feedback on a notebook that a student got before the deadline."""

    when: str  # with its zone
    passes: Passes


@dataclass(frozen=True)
class GradedNotebook:
    """One notebook that one student submitted, graded or not."""

    student: str
    name: str  # as it is written; may be empty
    assignment: str
    notebook: str
    status: Status  # of the whole submission
    #: Sentences on this notebook: repairs, crashes, why it could not be graded.
    notes: list[str] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    marks: dict[str, Mark] = field(default_factory=dict)  # of its graded cells
    waiting: list[str] = field(default_factory=list)  # cells to grade by hand
    #: Cell → what a person wrote about it, in Markdown.
    comments: dict[str, str] = field(default_factory=dict)
    penalty: float = 0.0  # points taken off for a late submission
    late: float = 0.0  # seconds after the due date; 0 if in time
    path: Path | None = None  # of the notebook in ``autograded``, if there is one
    version: str = ""  # when the files were submitted and graded, and their hash
    since: str = ""  # what has changed since the student's last submission
    untried: list[str] = field(default_factory=list)  # for the teacher: see `Report`
    tries: list[TriedNotebook] = field(default_factory=list)  # the newest first

    @property
    def points(self) -> list[float]:
        """Points of the cells that have a mark."""
        points = [mark.points for mark in self.marks.values()]
        return [number for number in points if number is not None]

    @property
    def total(self) -> float | None:
        """After a late penalty, never below 0; None: nothing is graded."""
        return total_of(self.points, self.penalty) if self.points else None

    @property
    def is_complete(self) -> bool:
        """Whether every graded cell has a mark, and none waits for a person."""
        return len(self.points) == len(self.marks) and not self.waiting

    def mark(self, cell: str) -> Mark:
        """Return the mark of a cell; if there is none, one without points."""
        return self.marks.get(cell, Mark())


@dataclass(frozen=True)
class Test:
    """A test cell on a page."""

    id: str
    title: str  # from its first comment
    state: State
    points: float | None  # None: it has none, or it was not run
    max_points: float  # 0: a public test
    verdict: Verdict
    message: str
    by_hand: bool


@dataclass(frozen=True)
class ResultRow:
    """One exercise: points, state, one cause, and a hint on where to start."""

    exercise: Exercise
    state: State
    points: float | None
    cause: str
    hint: str
    tests: list[Test]
    by_hand: bool
    commented: bool

    @property
    def lost_points(self) -> float:
        """Points that were not earned."""
        return self.exercise.points - (self.points or 0.0)

    @property
    def effort(self) -> tuple[bool, int, float]:
        """Sort key of exercises to do next: first those with few causes, all named."""
        if self.state == "not-started":
            return True, 0, 0.0
        messages = {
            test.message
            for test in self.tests
            if test.max_points and test.state in ("failed", "partly")
        }
        causes = len(messages) or len(self.tests) + 1
        if _WRONG in self.cause:
            causes += 1
        return False, causes, -self.lost_points


class Summary:
    """Summary of a student's notebook, as the first screen of the page shows it.

    `cells` are those of the graded notebook, for errors of the student's own cells;
    there may be none.
    """

    def __init__(
        self,
        graded: GradedNotebook,
        outline: Outline,
        cells: Sequence[RawCell],
    ) -> None:
        self._graded = graded
        self._outline = outline
        self._student_cells = {grade_id(cell): cell for cell in cells if grade_id(cell)}
        self._verdicts = {verdict.cell_id: verdict for verdict in graded.verdicts}
        points = {e: points_of(e.graded, graded.marks) for e in outline.exercises}
        #: One for each exercise, in source order.
        self.rows = [self._row(*each) for each in points.items()]
        remarkable = {v.cell_id for v in graded.verdicts if v.measures or v.message}
        #: Tests outside any exercise that measured something, or failed.
        self.ungraded = [
            self._test(
                cell=cell,
                excuse="",
                full=False,
            )
            for cell in outline.master.cells
            if not cell.exercise and not cell.points and cell.id in remarkable
        ]
        #: Points that wait for a person, if anything is graded.
        self.waiting = sum(
            cell.points
            for cell in outline.master.cells
            if graded.points and graded.mark(cell.id).points is None
        )

    @property
    def next_exercise(self) -> ResultRow | None:
        """The exercise to do next: the easiest one with a mistake of its own."""
        lost = ("failed", "partly", "not-started")
        rows = [row for row in self.rows if row.state in lost]
        return min(rows, key=attrgetter("effort"), default=None)

    def _row(self, exercise: Exercise, points: float | None) -> ResultRow:
        graded = self._graded
        cells = self._outline.cells
        full = points is not None and points >= exercise.points
        worth = {name for name in exercise.graded if cells[name].points}
        by_hand = any(graded.mark(name).by_hand for name in worth)
        excuse = POINTS_BY_HAND if by_hand else MISTAKE_ELSEWHERE
        tests = [
            self._test(
                cell=cells[name],
                excuse=excuse,
                full=full,
            )
            for name in exercise.tests
        ]
        state: State
        waiting = worth.intersection(graded.waiting)
        has_earlier_mark = any(graded.mark(name).by_hand for name in waiting)
        if has_earlier_mark or (exercise.by_hand and waiting):
            state = "waiting"
        elif points is None:
            state = "not-run"
        elif full:
            through = any(t.state == "given" and t.max_points for t in tests)
            state = "given" if through else "passed"
        elif points:
            state = "partly"
        elif self._not_started(cells[exercise.id], tests):
            state = "not-started"
        else:
            state = "failed"
        cause, hint = self._explain_loss(
            answer=cells[exercise.id],
            state=state,
            tests=tests,
        )
        if has_earlier_mark:
            cause = EARLIER_MARK
        commentable = {exercise.id, *exercise.by_hand}
        return ResultRow(
            exercise=exercise,
            state=state,
            points=points,
            cause=excuse if state == "given" else cause,
            hint=hint,
            tests=tests,
            by_hand=by_hand,
            commented=any(map(graded.comments.get, commentable)),
        )

    def _test(
        self,
        cell: Cell,
        excuse: str,
        full: bool,
    ) -> Test:
        """Return one test as the page shows it.

        `full`: its exercise has all points; then `excuse` is the message of a failed
        test.
        """
        verdict = self._verdicts.get(cell.id)
        mark = self._graded.mark(cell.id)
        max_points = cell.points
        points = mark.points if max_points else None
        from_points = mark.by_hand or not verdict
        if not verdict:
            verdict = Verdict(
                cell_id=cell.id,
                exercise=cell.exercise,
                points=0.0,
                max_points=max_points,
                outcome="not run",
            )
        message = verdict.message
        outcome = verdict.outcome
        state: State = "failed"
        if mark.by_hand and cell.id in self._graded.waiting:
            state = "waiting"
        elif from_points and points is not None:
            if points >= max_points:
                state = "passed"
            elif points:
                state = "partly"
        elif outcome == "not run" or verdict.is_skipped:
            state = "not-run"
        elif outcome == "passed":
            state = "passed"
        elif verdict.is_unsolved:
            state = "not-started"
        elif outcome == "failed" and verdict.points:
            state = "partly"
        followed = verdict.source == "follow-through"
        through = followed and verdict.points >= verdict.max_points
        # If its exercise has all points, the mistake is elsewhere, or in the test.
        failed = outcome not in ("passed", "not run")
        if through or (full and not max_points and failed):
            message = excuse
            if not (from_points and max_points):
                state = "given"
        return Test(
            id=cell.id,
            title=_opening_comment(cell.stub) or cell.id,
            state=state,
            points=points,
            max_points=max_points,
            verdict=verdict,
            message=message,
            by_hand=mark.by_hand,
        )

    def _not_started(self, answer: Cell, tests: Sequence[Test]) -> bool:
        """Whether an answer is unchanged, missing, or only raises NotImplementedError.

        Without a notebook (`_student_cells` is empty) the answer's text is unknown.
        """
        if self._student_cells and answer.kind in ("solution", "task"):
            cell = self._student_cells.get(answer.id)
            if not cell or source_of(cell).strip() == answer.stub.strip():
                return True
        unsolved = [test.verdict.is_unsolved for test in tests if test.max_points]
        return bool(unsolved) and all(unsolved)

    def _explain_loss(
        self,
        answer: Cell,
        state: State,
        tests: Sequence[Test],
    ) -> tuple[str, str]:
        """Return one cause why an exercise lost points, and what to look at first."""
        if state in ("passed", "given", "not-started"):
            return "", ""
        if state == "waiting":
            return "Your teacher will grade this answer by hand.", ""
        error = _raised(self._student_cells.get(answer.id, {}))
        if error and answer.kind != "test":
            hint = "The message below your cell."
            if position := _SYNTAX_ERROR_LINE.search(error):
                hint = f"Line {position[1]} of your cell."
            error = _SYNTAX_ERROR_LINE.sub("", error).strip()
            return f"Your cell stopped: {error}", hint
        bad = [t for t in tests if t.state not in ("passed", "given", "waiting")]
        if not bad:
            return "", ""
        named = [t for t in bad if t.max_points and t.message]
        diagnosed = [t for t in named if _WRONG not in t.message]
        first, *_ = diagnosed or named or bad
        hint = first.title
        if position := _LINE.search(first.message):
            name = position[1]
            cell = "your cell" if name == answer.id else f"the cell `{name}`"
            hint = f"Line {position[2]} of {cell}."
        elif first.verdict.outcome == "timeout":
            hint = "Look for a loop that never ends or takes much too long."
        elif any(not t.max_points for t in bad):
            hint = "The public test fails too: run it in your notebook."
        return first.message, hint


def _opening_comment(source: str) -> str:
    """Return the comment that a cell begins with, as one line."""
    lines = []
    for line in source.strip().splitlines():
        if not line.startswith("#") or line.startswith("###"):
            break
        lines.append(line.lstrip("# ").strip())
    return " ".join(lines)


def _raised(cell: RawCell) -> str:
    """Return the error that a student's cell ended with, in one line."""
    error = error_output_of(cell)
    name = one_line(error.get("ename"), 60)
    text = one_line(error.get("evalue"), 160)
    return ": ".join(filter(None, (name, text)))
