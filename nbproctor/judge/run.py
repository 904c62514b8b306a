"""One run through a notebook: cells in student processes, tests here.

What ends a student process costs the test that it happened in; the next goes on.
"""

from __future__ import annotations

import io
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from nbproctor.judge import beside, references, testcell
from nbproctor.judge.compiled import Tests
from nbproctor.judge.explain import explain
from nbproctor.judge.namespace import Namespace, modules
from nbproctor.judge.order import Step
from nbproctor.judge.processes import Processes, Spawn
from nbproctor.judge.program import BrokenTestError, Program
from nbproctor.judge.session import Session
from nbproctor.judge.student_errors import StudentGone
from nbproctor.judge.testcell import TestTimeout
from nbproctor.judge.verdicts import broken_test, no_points, with_print
from nbproctor.notebook import Cell
from nbproctor.protocol import table
from nbproctor.results import Job, Outcome, Output, Verdict

STDERR = (
    "Something was written to stderr while this test ran, a warning perhaps: in this "
    "course, that costs its points."
)


class NotebookRun:
    """One run through a notebook.

    Attributes
    ----------
    verdicts
        As in `Report`, by test cell.
    """

    def __init__(
        self,
        job: Job,
        tests: Tests,
        spawn: Spawn,
        until: float,
        max_stops: int,
        *,
        with_references: bool = False,
    ) -> None:
        self.verdicts: dict[str, Verdict] = {}
        self._cells, self._limits, self._tests = job.cells, job.limits, tests
        elsewhere = [cell.id for cell in job.cells if cell.where != "judge"]
        self._names = Namespace(tests, modules(tests), elsewhere)
        self._until = until
        self._stderr_fails = job.stderr_fails_tests
        mentioned: list[str] | None = [] if with_references else None
        tables = table.used(tests.modules)
        self._student = Processes(job.limits, spawn, until, mentioned, tables)
        self._history: list[Step] = []  # with the test cells among them
        # A hang costs its whole time limit: after so many, an exercise's tests are
        # not tried.
        self._max_stops = max_stops
        self._stops: dict[str | None, list[Outcome]] = {}
        self._short: set[str | None] = set()  # exercises that lacked memory once

    @property
    def outputs(self) -> dict[int, list[Output]]:
        """Outputs of the student's cells, as in `Report`."""
        return self._student.outputs

    @property
    def notes(self) -> list[str]:
        """What happened to the student's processes, as in `Report`."""
        return self._student.notes

    @property
    def culprits(self) -> set[str]:
        """Names of cells that hung or killed their process: not run again."""
        return self._student.culprits

    def play(self, steps: Iterable[Step]) -> None:
        """Run cells and judge tests in order; end with no process left."""
        steps = list(steps)
        if self._student.mentioned is not None:
            shares = [self._tests.shares.get(s.name) for s in steps if s.test]
            needed = {name for shared in shares if shared for name in shared.cells}
            tools = [c for c in self._cells if c.kind == "helper" or c.id in needed]
            self._student.mentioned = references.mentioned(steps, tools)
        try:
            for step in steps:
                if step.test is not None:
                    verdict = replace(self._judge(step.test), where=step.test.where)
                    self.verdicts[step.test.id] = verdict
                else:
                    self._student.run(step)
                self._history.append(step)
        finally:
            self._student.close()

    def _judge(self, cell: Cell, *, retry: bool = True) -> Verdict:
        if cell.where == "nowhere":
            return no_points(cell, "not run", beside.UNJUDGED)
        if cell.id in self._tests.broken and cell.where == "judge":
            return no_points(cell, "not run", broken_test(self._tests.broken[cell.id]))
        if time.monotonic() > self._until:
            return no_points(
                cell, "not run", "Not run: no time left for this notebook."
            )
        stops = self._stops.get(cell.exercise, [])
        if len(stops) >= self._max_stops:
            text = f"Not run: `{cell.exercise}` was stopped in earlier tests."
            return no_points(cell, stops[-1], text)
        if cell.where == "beside":
            return self._judge_beside(cell)
        student, program = self._student, self._tests.programs[cell.id]
        hidden = cell.points > 0
        try:
            link = student.living()  # what fails here is no verdict on the answer
        except StudentGone as gone:
            return self._stopped(cell, gone)
        with testcell.captured() as (out, err):
            try:
                value = self._value(program, cell, link)
                if link.gone is not None:
                    raise link.gone
                if hidden and self._stderr_fails and _has_written(err, link):
                    return no_points(cell, "failed", STDERR)
            except StudentGone as gone:
                if retry and gone.reason == "died" and student.find_hog():
                    return self._judge(cell, retry=False)
                return self._stopped(cell, gone)
            except TestTimeout:
                link.close()
                late = StudentGone("timeout", "the test took too long")
                return self._stopped(cell, late, self._limits.cell)
            except BrokenTestError as error:
                return no_points(cell, "not run", broken_test(str(error)))
            except Exception as error:
                short = retry and isinstance(error, MemoryError)
                if short and cell.exercise not in self._short:
                    # It may not be at fault. It is judged again in a fresh process.
                    self._short.add(cell.exercise)
                    student.find_hog()
                    return self._judge(cell, retry=False)
                outcome, message = explain(error, student.sources, hidden=hidden)
                verdict = no_points(cell, outcome, message)
                return verdict if hidden else with_print(verdict, out.getvalue())
        points = testcell.points_of(value, cell.points)
        if points < cell.points:
            message = f"Partly right: {points:g} of {cell.points:g} points."
            return replace(no_points(cell, "failed", message), points=points)
        verdict = replace(no_points(cell, "passed", ""), points=points)
        return verdict if hidden else with_print(verdict, out.getvalue())

    def _value(self, program: Program, cell: Cell, link: Session) -> Any:
        seconds = min(self._limits.cell, self._until - time.monotonic())
        try:
            space = self._names.begin(cell.id, link, seconds)
            return testcell.run(program, space, link, seconds)
        finally:
            self._names.end(cell.id, link)

    def _judge_beside(self, cell: Cell) -> Verdict:
        tests, student = self._tests, self._student
        shared = tests.shares.get(cell.id)
        needs = {name for name, p in tests.programs.items() if p.binds & tests.outer}
        needs.update(shared.cells if shared else ())
        kept = [s for s in self._history if s.test is not None or s in student.played]
        link = student.fresh()
        try:
            outputs = beside.play(cell, kept, needs, lambda s: student.send(link, s))
        except StudentGone as gone:
            return self._stopped(cell, gone, self._limits.cell)
        finally:
            link.close()
        points, outcome, message = beside.verdict(outputs, cell)
        if points and self._stderr_fails and _says_on_stderr(outputs):
            points, outcome, message = 0.0, "failed", STDERR
        return replace(no_points(cell, outcome, message), points=points)

    def _stopped(
        self, cell: Cell, gone: StudentGone, limit: float | None = None
    ) -> Verdict:
        subject = f"`{cell.exercise or cell.id}`"
        text = self._student.what_happened(gone, subject, limit or self._limits.call)
        if text not in self._student.notes:  # once is enough: each verdict says it too
            self._student.notes.append(text)
        outcome: Outcome = "timeout" if gone.reason == "timeout" else "died"
        self._stops.setdefault(cell.exercise, []).append(outcome)
        return no_points(cell, outcome, text)


def _has_written(err: io.StringIO, link: Session) -> bool:
    return bool(err.getvalue()) or link.ask("stderr") is True


def _says_on_stderr(outputs: Iterable[Output]) -> bool:
    return any(output.get("name") == "stderr" for output in outputs)
