"""Jobs, reports and submission results, as plain data.

``grading.json`` is written last. So it also distinguishes a finished submission from an
interrupted one, and an earlier submission from the current one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import fsum
from pathlib import Path
from typing import Any, Literal

import msgspec

from nbproctor.cells import RawCell
from nbproctor.notebook import Cell, Where
from nbproctor.statuses import STATUSES, Status
from nbproctor.writing import write_file

Output = dict[str, Any]  # as nbformat has it
Outcome = Literal["passed", "failed", "error", "timeout", "died", "not run"]
# How the student's process says that a command was not run.
NO_COMMANDS = (
    "Other programs cannot be started while a notebook is graded"
    " (shell commands, %pip, %%bash, os.system, subprocess): "
)


def stream_output(text: str, name: str = "stdout") -> Output:
    """Return the output that shows text of a stream."""
    return {
        "output_type": "stream",
        "name": name,
        "text": text,
    }


def error_output(
    name: str,
    text: str,
    lines: list[str],
) -> Output:
    """Return the output that shows an exception; `lines` are its traceback."""
    return {
        "output_type": "error",
        "ename": name,
        "evalue": text,
        "traceback": lines,
    }


@dataclass(frozen=True)
class Limits:
    """Time limits, in seconds.

    Attributes
    ----------
    call
        One call of a student's function, callbacks included.
    cell
        One student cell, and one test cell with all its calls.
    submission
        All of a notebook, follow-through included.
    """

    call: float = 10.0
    cell: float = 60.0
    submission: float = 300.0


@dataclass(frozen=True)
class StudentCell:
    """A code cell of a submission: its place in the notebook, id and text."""

    index: int
    id: str | None
    source: str


@dataclass(frozen=True)
class Job:
    """One submission to be graded against the cells of a master notebook."""

    cells: Sequence[Cell]
    student: Sequence[StudentCell]
    limits: Limits = field(default_factory=Limits)
    follow_through: bool = True
    # Whether any text on stderr costs a test cell its points, as under nbgrader.
    stderr_fails_tests: bool = False
    tests: bytes = b""  # `compiled.Tests` of the cells; empty: still to be compiled
    # Files next to the notebook: name as bytes, which may not be Unicode → content.
    files: dict[bytes, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Measure:
    """A number that a test reports under a name: shown, but not graded."""

    name: str
    value: float
    note: str = ""
    pictures: tuple[tuple[str, str], ...] = ()  # caption, PNG in base64
    of: float = 0  # the most that could be reached; 0: not a count

    def __str__(self) -> str:
        text = f"{self.name}: {self.amount}"
        if self.note:
            return f"{text}, {self.note}"
        return text

    @property
    def amount(self) -> str:
        """The value in words: 0.75, or 375 of 500 (75 %)."""
        if not self.of:
            return f"{self.value:g}"
        percent = 100 * self.value / self.of
        return f"{self.value:g} of {self.of:g} ({percent:.0f} %)"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of one test cell.

    Attributes
    ----------
    cell_id, exercise
        The test cell and the exercise that it scores.
    points, max_points
        Earned, and possible; 0 and 0 for a public test.
    outcome
        ``passed``; ``failed`` (a check does not hold, or partial credit); ``error``
        (student code raised, or a name is missing); ``timeout``; ``died`` (the process
        ended, or sent nonsense); ``not run`` (no time left, or the test is broken).
    message
        One line for the student; empty when passed.
    source
        The run in which the points were earned: the student's ``own``, or
        ``follow-through``, with correct functions from earlier exercises.
    printed
        What a public test itself printed.
    where
        Where the test cell was judged; in the student's process (``beside``), its code
        could have forged this.
    measures
        Numbers that the test reports in addition to its points.
    is_unsolved
        Whether student code raised NotImplementedError: the answer is not written.
    is_skipped
        Whether the test was not run, because earlier tests of its exercise ended their
        process.
    """

    cell_id: str
    exercise: str | None
    points: float
    max_points: float
    outcome: Outcome
    message: str = ""
    source: Literal["own", "follow-through"] = "own"
    printed: str = ""
    where: Where = "judge"
    measures: tuple[Measure, ...] = ()
    # Decided by the judge, because student code may raise any sentence.
    is_unsolved: bool = False
    is_skipped: bool = False

    def outputs(self) -> list[Output]:
        """Return outputs from which nbgrader reads exactly these points."""
        outputs = []
        message = self.message
        text = self.printed + "".join([f"{measure}\n" for measure in self.measures])
        if text:
            outputs.append(stream_output(text))
        if self.outcome != "passed" and self.points == 0:
            name = "AssertionError" if self.outcome == "failed" else "TestNotPassed"
            outputs.append(
                error_output(
                    name=name,
                    text=message,
                    lines=[message],
                )
            )
        elif self.points < self.max_points:
            outputs.append(
                {
                    "output_type": "execute_result",
                    "data": {"text/plain": repr(self.points)},
                    "metadata": {},
                    "execution_count": None,
                }
            )
        elif message:
            outputs.append(stream_output(message + "\n"))
        return outputs


@dataclass(frozen=True)
class Check:
    """One thing that must hold for a whole assignment, and what was found."""

    name: str
    passed: bool
    finding: str


@dataclass
class Report:
    """All that is known about one submission after grading.

    Attributes
    ----------
    outputs
        Sanitized outputs of the student's cells, by position in the notebook.
    verdicts
        One for each test cell, in source order.
    notes
        Sentences on what went wrong: cells that were stopped, processes that died.
    untried
        Sentences on branches that no test has entered, in answers with all points.
    """

    outputs: dict[int, list[Output]]
    verdicts: list[Verdict]
    notes: list[str]
    untried: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Mark:
    """The mark of one graded cell in the gradebook."""

    points: float | None = None  # extra credit included; None: not graded yet
    by_hand: bool = False


def total_of(points: Iterable[float], penalty: float) -> float:
    """Return the points after a late penalty, never below 0."""
    return max(fsum(points) - penalty, 0.0)


def points_of(cells: Iterable[str], marks: Mapping[str, Mark]) -> float | None:
    """Return the sum of the graded cells among some cells; None if none is graded."""
    points = [marks[name].points for name in cells if name in marks]
    graded = [number for number in points if number is not None]
    if not graded:
        return None
    return sum(graded)


def cells_of(path: Path | None) -> list[RawCell]:
    """Return the cells of a graded notebook; none if it cannot be read."""
    try:
        text = (path or Path()).read_text("utf-8")
        cells = json.loads(text, object_hook=_join_lines)["cells"]
        return [cell for cell in cells if isinstance(cell, dict)]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _join_lines(node: dict[str, Any]) -> dict[str, Any]:
    """Join the text of an output, which nbformat writes as a list of lines."""
    for key, value in node.items():
        is_text = key == "text" or "/" in key  # of a stream, or by its media type
        if is_text and isinstance(value, list):
            lines = [line for line in value if isinstance(line, str)]
            node[key] = "".join(lines)
    return node


FILE = "grading.json"
Score = tuple[str, str, float]  # notebook, cell, points


@dataclass(frozen=True)
class SubmissionResult:
    """Result of grading one submission.

    Attributes
    ----------
    student : str
        Student id.
    status : Status
        A row of `STATUSES`: ``repaired`` is after a stated repair; ``partial`` if
        something died or timed out, the rest is graded; ``not graded``, ``missing`` and
        ``excused`` are never stored, because they may change at any time.
    reason : str
        Why, in sentences.
    score : float or None
        Points after a late penalty; None, never 0, if nothing was graded.
    max_score : float
        Points of the assignment.
    notes : dict
        Notebook name → sentences for the student: repairs, what died or timed out.
    verdicts : dict
        Notebook name → verdict of each test.
    handed_in : str
        SHA-256 of everything in the student's folder; empty: to be graded again.
    graded_with : list of str
        `CachingExecutor.conditions_digest` of each notebook.
    late : float
        Seconds after the due date at the time of grading.
    graded : datetime or None
        When this was graded.
    since : dict
        Notebook name → what has changed since the previous submission.
    untried : dict
        Notebook name → branches of correct answers that no test has entered. It is for
        the teacher, and changes no mark.
    """

    student: str
    status: Status
    reason: str
    score: float | None
    max_score: float
    notes: dict[str, list[str]] = field(default_factory=dict)
    verdicts: dict[str, list[Verdict]] = field(default_factory=dict)
    handed_in: str = ""
    graded_with: list[str] = field(default_factory=list)
    late: float = 0.0
    graded: datetime | None = field(default=None, compare=False)
    since: dict[str, str] = field(default_factory=dict)
    untried: dict[str, list[str]] = field(default_factory=dict)

    @property
    def is_failure(self) -> bool:
        """Whether a mark is missing that should exist."""
        return STATUSES[self.status].is_failure

    def scores(self) -> set[Score]:
        """Return the automatic scores that the gradebook must have."""
        return {
            (name, verdict.cell_id, verdict.points)
            for name, verdicts in self.verdicts.items()
            for verdict in verdicts
            if verdict.max_points and verdict.outcome != "not run"
        }

    def write(self, folder: Path) -> None:
        """Write ``grading.json``, either completely or not at all."""
        text = msgspec.json.format(msgspec.json.encode(self), indent=1)
        write_file(folder / FILE, text + b"\n")

    @classmethod
    def read(cls, folder: Path) -> SubmissionResult | None:
        """Read the file of a graded submission; None if it cannot be read."""
        try:
            return msgspec.json.decode((folder / FILE).read_bytes(), type=cls)
        except (OSError, msgspec.MsgspecError):
            return None
