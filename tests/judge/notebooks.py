"""Small notebooks for the tests of the judge, and their way through it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from msgspec import msgpack

from nbproctor.judge import run
from nbproctor.judge.processes import Spawn
from nbproctor.notebook import Cell
from nbproctor.results import Job, Limits, Report
from tests.forked import StudentProcess, spawn
from tests.notebooks import student_cells
from tests.timing import limits

HIDDEN = re.compile(r"### BEGIN HIDDEN TESTS\n.*?### END HIDDEN TESTS\n?", re.DOTALL)

# Words for kinds of cells, and what they say of a cell.
KINDS: dict[str, dict[str, Any]] = {
    "provided": {"kind": "provided", "nbgrader": {"locked": True}},
    "demo": {"kind": "provided", "skip": True},
    "helper": {"kind": "helper"},
    "solution": {"kind": "solution"},
    "test": {"kind": "test"},
    "beside": {"kind": "test", "where": "beside"},
    "nowhere": {"kind": "test", "where": "nowhere"},
    "unplaced": {"kind": "test", "placement_reason": "nobody knows"},
}


def usual_limits(**seconds: float) -> Limits:
    """Return limits that no honest answer exceeds, or others where they are given."""
    usual = dict(call=5.0, cell=10.0, submission=60.0)
    return limits(**usual | seconds)


def cell(name: str, kind: Any, source: str, points: float = 0.0, **fields: Any) -> Cell:
    """Make a cell of a master notebook, of the exercise `f`."""
    new_cell = Cell(name, kind, source, points, "f", False, name, source, {})
    return replace(new_cell, **fields)


def judged(
    cells: Iterable[Cell],
    *handed_in: tuple[str | None, str],
    start: Spawn = spawn,
    **options: Any,
) -> Report:
    """Judge a notebook that was handed in as these cells: id and text."""
    defaults: dict[str, Any] = {"limits": usual_limits(), "follow_through": False}
    defaults |= options
    job = Job(tuple(cells), student_cells(handed_in), **defaults)
    return msgpack.decode(run.main(msgpack.encode(job), start), type=Report)


def earned(report: Report) -> list[float]:
    """Return what each test of a report earns."""
    return [each.points for each in report.verdicts]


@dataclass
class Case:
    """A notebook as it was handed in, and what it earns: see `tests.judge.cases`."""

    name: str
    options: dict[str, float]  # limits in seconds; how many processes it takes
    cells: list[Cell] = field(default_factory=list)
    submitted: dict[str, str] = field(default_factory=dict)
    results: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, text: str) -> Case:
        """Read a case as the tables have it."""
        head, *parts = text.strip().split("\n--- ")
        name, *lines = head.split("\n")
        options = {word: float(number) for word, number in map(str.split, lines)}
        case = cls(name, options)
        for part in parts:
            case._add(*part.partition("\n")[::2])
        return case

    def _add(self, head: str, source: str) -> None:
        """Add a cell, or the notes."""
        if head == "notes":
            self.notes = source.split("\n")
            return
        words, _, result = head.partition(": ")
        name, kind, *points = words.split()
        self.submitted[name] = source
        if kind in ("answer", "own"):
            return
        fields = KINDS[kind]
        if fields["kind"] == "test":
            self.results[name] = result
        exercise = name.partition("_")[0]
        is_graded = "_" in name or kind == "solution"
        new_cell = cell(
            name,
            source=source,
            points=float(*points),
            exercise=exercise if is_graded else None,
            stub="" if kind == "solution" else HIDDEN.sub("", source),
            **fields,
        )
        self.cells.append(new_cell)

    def judge(self, *, follow_through: bool) -> Report:
        """Judge it; check how many processes it takes, and that all have ended.

        In a first run each has ended before another starts, or they could talk.
        """
        processes: list[StudentProcess] = []
        still_running: list[StudentProcess] = []

        def counted() -> StudentProcess:
            still_running.extend(process for process in processes if process.pid)
            processes.append(spawn())
            return processes[-1]

        count = self.options.pop("processes", None)
        self.limits = usual_limits(**self.options)
        report = judged(
            self.cells,
            *self.submitted.items(),
            start=counted,
            limits=self.limits,
            follow_through=follow_through,
        )
        assert count in (None, len(processes))
        assert not any(process.pid for process in processes), "a process is left"
        assert follow_through or not still_running
        return report
