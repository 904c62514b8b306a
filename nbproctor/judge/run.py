"""One run through a notebook: cells in a student process, tests here.

What a student process does to itself, hang, die or lie, ends that process; a fresh one
runs the cells again without the one at fault, and the next test goes on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import astuple, replace
from typing import Any

from nbproctor.judge import beside, testcell
from nbproctor.judge.compiled import BrokenTestError, Program, Tests
from nbproctor.judge.explain import explain
from nbproctor.judge.exports import builtin_name
from nbproctor.judge.order import Step
from nbproctor.judge.session import Session, StudentGone
from nbproctor.judge.testcell import TestTimeout
from nbproctor.notebook import Cell
from nbproctor.results import FILES, Job, Outcome, Output, Verdict
from nbproctor.sanitize import clean, one_line, plain_text

MAX_SPAWNS = 30  # of one run through a notebook
Spawn = Callable[[], Any]  # a student process: `.sock`, `.close()`


class NotebookRun:
    """One run through a notebook, in as many student processes as it takes.

    Attributes
    ----------
    verdicts, outputs, notes
        As in `Report`.
    culprits
        Names of cells that hung or killed their process: not run again.
    """

    def __init__(
        self, job: Job, tests: Tests, spawn: Spawn, until: float, max_stops: int
    ) -> None:
        self.verdicts: dict[str, Verdict] = {}
        self.outputs: dict[int, list[Output]] = {}
        self.notes: list[str] = []
        self.culprits: set[str] = set()
        self._limits, self._tests = job.limits, tests
        self._names = testcell.Namespace(tests, testcell.modules(tests))
        self._spawn, self._until = spawn, until
        self._link: Session | None = None
        self._spawned = 0
        self._played: list[Step] = []
        self._history: list[Step] = []  # with the test cells among them
        self._sources: dict[str, str] = {}
        # A hang costs its whole time limit: after so many, an exercise's tests are
        # not tried.
        self._max_stops = max_stops
        self._stops: dict[str | None, list[Outcome]] = {}

    def play(self, steps: Iterable[Step]) -> None:
        """Run cells and judge tests in order; end with no process left."""
        try:
            for step in steps:
                if step.test is not None:
                    verdict = replace(self._judge(step.test), where=step.test.where)
                    self.verdicts[step.test.id] = verdict
                else:
                    self._run(step)
                self._history.append(step)
        finally:
            if self._link is not None:
                self._link.close()

    # --- student cells ----------------------------------------------------------

    def _run(self, step: Step) -> None:
        if step.index is not None:
            self._sources[step.name] = step.source
        if step.name in self.culprits:
            return
        made: list[Output]
        try:
            made = self._send(self._process(), step)
        except StudentGone as gone:
            self.culprits.add(step.name)
            text = self._what_happened(gone, f"Cell `{step.name}`", self._limits.cell)
            made = [_error("CellStopped", text)]
            self.notes.append(text)
        else:
            self._played.append(step)
        if step.index is not None:
            self.outputs[step.index] = made

    def _send(self, link: Session, step: Step) -> list[Output]:
        # An object that a test handed over is not for the cells after it.
        link.exports.clear()
        try:
            made = link.ask(
                "run",
                step.source,
                None if step.index == FILES else step.name,
                astuple(self._limits.output),
                seconds=self._limits.cell,
            )
        except Exception as error:
            # Running a cell raises nothing: this process has been tampered with.
            return [_error(builtin_name(error), one_line(str(error)))]
        return clean(made)

    def _process(self) -> Session:
        """Return the living student process, or a fresh one with all cells replayed."""
        while self._link is None or self._link.gone is not None:
            if self._spawned >= MAX_SPAWNS:
                raise StudentGone("died", "its process ended too often")
            if time.monotonic() > self._until:
                raise StudentGone("timeout", "there is no time left")
            self._spawned += 1
            link = Session(self._spawn(), self._limits.call, testcell.MODULE)
            link.until = self._until
            self._link = link
            for step in list(self._played):
                try:
                    self._send(link, step)
                except StudentGone:
                    self.culprits.add(step.name)
                    self._played.remove(step)
                    break
        return self._link

    # --- tests ------------------------------------------------------------------

    def _judge(self, cell: Cell) -> Verdict:
        if cell.where == "nowhere":
            return _verdict(cell, "not run", beside.UNJUDGED)
        if cell.id in self._tests.broken and cell.where == "judge":
            return _verdict(cell, "not run", _broken(self._tests.broken[cell.id]))
        if time.monotonic() > self._until:
            return _verdict(cell, "not run", "Not run: no time left for this notebook.")
        stops = self._stops.get(cell.exercise, [])
        if len(stops) >= self._max_stops:
            text = f"Not run: `{cell.exercise}` was stopped in earlier tests."
            return _verdict(cell, stops[-1], text)
        if cell.where == "beside":
            return self._judge_beside(cell)
        program = self._tests.programs[cell.id]
        hidden = cell.points > 0
        try:
            link = self._process()  # what fails here is no verdict on the answer
        except StudentGone as gone:
            return self._stopped(cell, gone)
        with testcell.captured() as out:
            try:
                value = self._value(program, cell, link)
                if link.gone is not None:
                    raise link.gone
            except StudentGone as gone:
                return self._stopped(cell, gone)
            except TestTimeout:
                link.close()
                late = StudentGone("timeout", "the test took too long")
                return self._stopped(cell, late, self._limits.cell)
            except BrokenTestError as error:
                return _verdict(cell, "not run", _broken(str(error)))
            except Exception as error:
                outcome, message = explain(error, self._sources, hidden=hidden)
                made = _verdict(cell, outcome, message)
                return made if hidden else _with_print(made, out.getvalue())
        points, shown = testcell.points_of(value, cell.points)
        if points < cell.points:
            message = f"Partly right: {shown} of {cell.points:g} points."
            return replace(_verdict(cell, "failed", message), points=points)
        made = replace(_verdict(cell, "passed", ""), points=points)
        return made if hidden else _with_print(made, out.getvalue())

    def _value(self, program: Program, cell: Cell, link: Session) -> Any:
        seconds = min(self._limits.cell, self._until - time.monotonic())
        try:
            space = self._names.begin(cell.id, link, seconds)
            return testcell.run(program, space, link, seconds)
        finally:
            self._names.end(cell.id, link)

    def _judge_beside(self, cell: Cell) -> Verdict:
        tests = self._tests
        shared = tests.shares.get(cell.id)
        needs = {name for name, p in tests.programs.items() if p.binds & tests.outer}
        needs.update(shared.cells if shared else ())
        kept = [s for s in self._history if s.test is not None or s in self._played]
        link = Session(self._spawn(), self._limits.call, testcell.MODULE)
        link.until = self._until
        try:
            outputs = beside.play(
                cell,
                kept,
                needs,
                lambda step: self._send(link, step),
            )
        except StudentGone as gone:
            return self._stopped(cell, gone, self._limits.cell)
        finally:
            link.close()
        points, outcome, message = beside.verdict(outputs, cell)
        return replace(_verdict(cell, outcome, message), points=points)

    def _stopped(
        self, cell: Cell, gone: StudentGone, limit: float | None = None
    ) -> Verdict:
        subject = f"`{cell.exercise or cell.id}`"
        text = self._what_happened(gone, subject, limit or self._limits.call)
        if text not in self.notes:  # once is enough: each verdict says it too
            self.notes.append(text)
        outcome: Outcome = "timeout" if gone.reason == "timeout" else "died"
        self._stops.setdefault(cell.exercise, []).append(outcome)
        return _verdict(cell, outcome, text)

    def _what_happened(self, gone: StudentGone, subject: str, limit: float) -> str:
        if time.monotonic() > self._until:
            return f"{subject} was stopped: the notebook's time is used up."
        if gone.reason == "timeout":
            return f"{subject} was stopped: it did not finish in {limit:g} seconds."
        if gone.reason == "died":
            return f"{subject} ended the Python process that it ran in."
        return f"{subject} broke the connection to the grader ({gone})."


def _verdict(cell: Cell, outcome: str, message: str) -> Verdict:
    made: Any = outcome
    line = one_line(message)
    return Verdict(cell.id, cell.exercise, 0.0, cell.points, made, line)


def _with_print(verdict: Verdict, text: str) -> Verdict:
    return replace(verdict, printed=plain_text(text))


def _broken(text: str) -> str:
    return f"This test is broken, tell your teacher: {text}"


def _error(name: str, text: str) -> Output:
    return {
        "output_type": "error",
        "ename": name,
        "evalue": text,
        "traceback": [text],
    }
