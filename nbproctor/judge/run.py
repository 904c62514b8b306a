"""One run through a notebook: cells in a student process, tests here.

What a student process does to itself, hang, die or lie, ends that process; a fresh one
runs the cells again without the one at fault, and the next test goes on.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable
from dataclasses import astuple, replace
from typing import Any

import msgspec

from nbproctor.judge import beside, references, testcell
from nbproctor.judge.compiled import BrokenTestError, Program, Tests
from nbproctor.judge.explain import explain
from nbproctor.judge.exports import builtin_name
from nbproctor.judge.order import Step
from nbproctor.judge.proxy import StudentGone
from nbproctor.judge.session import Session
from nbproctor.judge.testcell import TestTimeout
from nbproctor.judge.verdicts import (
    broken_test,
    error_output,
    lacks_memory,
    no_points,
    what_happened,
    with_print,
)
from nbproctor.notebook import Cell
from nbproctor.results import FILES, Job, Outcome, Output, Verdict
from nbproctor.sanitize import clean, one_line

MAX_OUTPUT_BYTES = 64 << 20  # of all cells of a notebook
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
        self.outputs: dict[int, list[Output]] = {}
        self.notes: list[str] = []
        self.culprits: set[str] = set()
        self._cells, self._limits, self._tests = job.cells, job.limits, tests
        elsewhere = [cell.id for cell in job.cells if cell.where != "judge"]
        modules = testcell.modules(tests)
        self._names = testcell.Namespace(tests, modules, elsewhere)
        self._spawn, self._until = spawn, until
        self._link: Session | None = None
        # Whether reference solutions run beside it, and the names they may lend.
        self._references = with_references
        self._mentioned: list[str] = []
        self._output_room = MAX_OUTPUT_BYTES
        self._spawned = 0
        self._played: list[Step] = []
        self._history: list[Step] = []  # with the test cells among them
        self._watching = False  # what the cells leave of the memory
        self._sources: dict[str, str] = {}
        # A hang costs its whole time limit: after so many, an exercise's tests are
        # not tried.
        self._max_stops = max_stops
        self._stops: dict[str | None, list[Outcome]] = {}

    def play(self, steps: Iterable[Step]) -> None:
        """Run cells and judge tests in order; end with no process left."""
        steps = list(steps)
        if self._references:
            shares = [self._tests.shares.get(s.name) for s in steps if s.test]
            needed = {name for shared in shares if shared for name in shared.cells}
            tools = [c for c in self._cells if c.kind == "helper" or c.id in needed]
            self._mentioned = references.mentioned(steps, tools)
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
        outputs: list[Output] = []
        gone = None
        for retry in (True, False):
            try:
                outputs, gone = self._send(self._process(), step), None
            except StudentGone as error:
                gone = error
            short = gone.reason == "died" if gone else lacks_memory(outputs)
            found = retry and short and self._find_hog()
            # To look for it took a fresh process, in which this cell has not run yet.
            if not (retry and short) or (gone and not found):
                break
        if gone is not None:
            outputs = []
            self._leave_out(step, gone)
        elif lacks_memory(outputs) and not self._has_room():
            self._leave_out(step)
        else:
            self._played.append(step)
        if step.name in self.culprits:
            outputs.append(error_output("CellStopped", self.notes[-1]))
        if step.index is not None:
            self.outputs[step.index] = self._within_room(outputs)

    def _within_room(self, outputs: list[Output]) -> list[Output]:
        """Return the outputs of a cell, or a word where the notebook has too many."""
        self._output_room -= len(msgspec.json.encode(outputs))
        if self._output_room >= 0:
            return outputs
        text = "[outputs left out: this notebook shows more than can be kept]\n"
        return [{"output_type": "stream", "name": "stderr", "text": text}]

    def _leave_out(self, step: Step, gone: StudentGone | None = None) -> None:
        """Do not run a cell again that ended its process, or filled the memory."""
        self.culprits.add(step.name)
        text = f"Cell `{step.name}` used up the memory, so it was left out of the rest."
        if gone is not None:
            text = self._what_happened(gone, f"Cell `{step.name}`", self._limits.cell)
        self.notes.append(text)
        if self._link is not None:
            self._link.close()

    def _find_hog(self) -> bool:
        """Leave out the cell that filled the memory, if it was one that was run before.

        What fails for want of memory is rarely what took it: the cells are run once
        more, and after each it is tried how much is left.
        """
        before = set(self.culprits)
        if self._played and self._link is not None:
            self._link.close()
            self._watching = True
            with contextlib.suppress(StudentGone):
                self._process()
            self._watching = False
        return self.culprits != before

    def _has_room(self) -> bool:
        try:
            return self._link is not None and self._link.ask("room") is True
        except (Exception, StudentGone):
            return False

    def _send(self, link: Session, step: Step) -> list[Output]:
        # An object that a test handed over is not for the cells after it.
        link.exports.clear()
        name = None if step.index == FILES else step.name
        run = [step.source, name, astuple(self._limits.output)]
        seconds = self._limits.cell
        try:
            if self._references:
                outputs = references.play(link, step, self._mentioned, run, seconds)
            else:
                outputs = link.ask("run", *run, seconds=seconds)
        except StudentGone:
            link.close()  # it may be the process of the references that has ended
            raise
        except Exception as error:
            # Running a cell raises nothing: this process has been tampered with.
            return [error_output(builtin_name(error), one_line(str(error)))]
        return clean(outputs)

    def _process(self) -> Session:
        """Return the living student process, or a fresh one with all cells replayed."""
        while self._link is None or self._link.gone is not None:
            if self._spawned >= MAX_SPAWNS:
                raise StudentGone("died", "its process ended too often")
            if time.monotonic() > self._until:
                raise StudentGone("timeout", "there is no time left")
            self._spawned += 1
            link = self._link = self._session()
            if self._references:
                references.join(link, self._session())
            watching = self._watching and self._has_room()
            for step in list(self._played):
                try:
                    self._send(link, step)
                except StudentGone:
                    self.culprits.add(step.name)
                    self._played.remove(step)
                    break
                if watching and step.index is not None and not self._has_room():
                    self._leave_out(step)
                    self._played.remove(step)
                    break
        return self._link

    def _session(self) -> Session:
        link = Session(self._spawn(), self._limits.call, testcell.MODULE)
        link.until = self._until
        return link

    # --- tests ------------------------------------------------------------------

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
                if retry and gone.reason == "died" and self._find_hog():
                    return self._judge(cell, retry=False)
                return self._stopped(cell, gone)
            except TestTimeout:
                link.close()
                late = StudentGone("timeout", "the test took too long")
                return self._stopped(cell, late, self._limits.cell)
            except BrokenTestError as error:
                return no_points(cell, "not run", broken_test(str(error)))
            except Exception as error:
                if retry and isinstance(error, MemoryError) and self._find_hog():
                    return self._judge(cell, retry=False)
                outcome, message = explain(error, self._sources, hidden=hidden)
                verdict = no_points(cell, outcome, message)
                return verdict if hidden else with_print(verdict, out.getvalue())
        points, shown = testcell.points_of(value, cell.points)
        if points < cell.points:
            message = f"Partly right: {shown} of {cell.points:g} points."
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
        tests = self._tests
        shared = tests.shares.get(cell.id)
        needs = {name for name, p in tests.programs.items() if p.binds & tests.outer}
        needs.update(shared.cells if shared else ())
        kept = [s for s in self._history if s.test is not None or s in self._played]
        link = self._session()
        try:
            outputs = beside.play(cell, kept, needs, lambda s: self._send(link, s))
        except StudentGone as gone:
            return self._stopped(cell, gone, self._limits.cell)
        finally:
            link.close()
        points, outcome, message = beside.verdict(outputs, cell)
        return replace(no_points(cell, outcome, message), points=points)

    def _stopped(
        self, cell: Cell, gone: StudentGone, limit: float | None = None
    ) -> Verdict:
        subject = f"`{cell.exercise or cell.id}`"
        text = self._what_happened(gone, subject, limit or self._limits.call)
        if text not in self.notes:  # once is enough: each verdict says it too
            self.notes.append(text)
        outcome: Outcome = "timeout" if gone.reason == "timeout" else "died"
        self._stops.setdefault(cell.exercise, []).append(outcome)
        return no_points(cell, outcome, text)

    def _what_happened(self, gone: StudentGone, subject: str, limit: float) -> str:
        if time.monotonic() > self._until:
            return f"{subject} was stopped: the notebook's time is used up."
        return what_happened(gone, subject, limit)
