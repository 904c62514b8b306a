"""Judge one submission: run its cells in student processes, and its tests here.

The judge is trusted and runs no student code. If a student process ends, the test that
was running fails, and the next test continues with a fresh process.
"""

from __future__ import annotations

import ast
import re
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from msgspec import msgpack

from nbproctor.cells import CellText
from nbproctor.expect import specification
from nbproctor.expect.measures import Measured
from nbproctor.judge import clock, guard, order, testcell, verdicts
from nbproctor.judge.compiled import Tests
from nbproctor.judge.exports import ReferenceFunction
from nbproctor.judge.order import References, Step
from nbproctor.judge.processes import Spawn, StudentProcesses
from nbproctor.judge.proxy import ProcessEnded
from nbproctor.judge.session import Session
from nbproctor.judge.testcell import Namespace, import_own_modules
from nbproctor.judge.verdicts import Message, explain, verdict
from nbproctor.markers import IMPORTS, definitions_of, parse
from nbproctor.notebook import Cell
from nbproctor.results import (
    Job,
    Measure,
    Outcome,
    Output,
    Report,
    Verdict,
)
from nbproctor.sanitize import one_line, plain_text

_UNKNOWN_NAME = re.compile(r"name '(\w+)' is not defined")


def main(data: bytes, spawn: Spawn) -> bytes:
    """Grade one submission: a `Job` in, a `Report` out, both serialized.

    `spawn` starts a student process, which runs `student.process.main`.
    """
    import_own_modules()
    guard.guard_text()
    testcell.refuse_truth_of_arrays()
    return msgpack.encode(grade(msgpack.decode(data, type=Job), spawn))


@clock.patch_clocks()
def grade(job: Job, spawn: Spawn) -> Report:
    """Grade one submission, with second runs of the exercises that lose points."""
    tests = Tests.from_bytes(job.tests) if job.tests else Tests.from_cells(job.cells)
    run = NotebookRun(
        job=job,
        tests=tests,
        spawn=spawn,
        deadline=time.monotonic() + job.limits.submission,
        max_stops=2,
    )
    plan = order.plan_notebook(job, tests)
    with closing(SecondRuns(run)) as second_runs:
        if job.follow_through:
            run.run_to_end(order.with_second_runs(plan, second_runs.judge))
        else:
            run.run_to_end(plan)
    run.judge_in_process()
    run.explain_stops()
    return Report(
        outputs=run.student.outputs,
        verdicts=[run.verdicts[c.id] for c in job.cells if c.kind == "test"],
        notes=run.notes,
        untried=run.untried,
    )


@dataclass
class SecondRuns:
    """Second runs of exercises that lost points, with correct earlier solutions.

    This is not a second chance for a guess. Points are given to a test in which the
    judge saw a call of a reference function, and to a test that got no answer in the
    first run because the code raised an exception: another cell may have broken what it
    depends on.
    """

    first_run: NotebookRun  # its verdicts get the points
    # Exercise → its run, and the steps that are still to come.
    _runs: dict[str, tuple[NotebookRun, list[Step]]] = field(default_factory=dict)

    def judge(self, test: Cell, unfinished: frozenset[str]) -> None:
        """Judge a test again if this test or one before it lost its exercise points.

        Called directly after the first run has judged the test, before any later test.
        So no argument or object of a later test can help to answer it. `unfinished` are
        the exercises that have tests still to come.
        """
        exercise = str(test.exercise)
        first = self.first_run.verdicts.get(test.id)
        if exercise not in self._runs and first and first.points < first.max_points:
            self._begin(exercise, unfinished, test)
        if exercise not in self._runs:
            return
        second_run, steps = self._runs[exercise]
        for position, step in enumerate(steps, 1):
            if step.test is test:
                second_run.run_steps(steps[:position])
                del steps[:position]
                break
        if exercise not in unfinished:
            self._award_points(second_run)

    def close(self) -> None:
        """End the student processes of all second runs."""
        for second_run, _ in self._runs.values():
            second_run.student.close()

    def _begin(
        self,
        exercise: str,
        unfinished: frozenset[str],
        test: Cell,
    ) -> None:
        first_run = self.first_run
        steps, references = order.follow_through_plan(
            first_run.job,
            exercise,
            tests=first_run.tests,
            unfinished=unfinished,
        )
        if test.id not in first_run.unanswered and not references.functions:
            return
        now = time.monotonic()
        half = (first_run.deadline - now) / 2  # the rest is for later exercises
        second_run = replace(  # with no verdicts yet: see `__post_init__`
            first_run,
            deadline=now + half,
            max_stops=1,
            references=references,
        )
        self._runs[exercise] = second_run, steps

    def _award_points(self, second_run: NotebookRun) -> None:
        second_run.student.close()
        verdicts = self.first_run.verdicts
        pairs = [(verdicts[name], each) for name, each in second_run.verdicts.items()]
        # An answer can find out in which run it is, and behave differently. So a second
        # run that loses any points of the first run gives none.
        if any(second.points < first.points for first, second in pairs):
            return
        may_gain = self.first_run.unanswered | second_run.reference_callers
        condition = "with correct functions from the exercises before it"
        for first, second in pairs:
            if first.cell_id in may_gain and second.points > first.points:
                message = f"Passed {condition}."
                if second.points < second.max_points:
                    message = f"{second.message} ({condition})"
                verdicts[first.cell_id] = replace(
                    second,
                    message=message,
                    measures=first.measures,  # of the student's own notebook
                    source="follow-through",
                )


@dataclass
class NotebookRun:
    """One run through a notebook of a job: `verdicts` and `notes` of a report.

    After `deadline`, no further test is run. After `max_stops` tests of an exercise
    have ended their process, its other tests are not run: each hang takes a whole time
    limit.
    """

    job: Job
    tests: Tests
    spawn: Spawn
    deadline: float
    max_stops: int
    references: References | None = None

    def __post_init__(self) -> None:
        self.verdicts: dict[str, Verdict] = {}
        job = self.job
        elsewhere = [cell.id for cell in job.cells if cell.where != "judge"]
        self._names = Namespace(self.tests, elsewhere)
        self.student = StudentProcesses(
            limits=job.limits,
            spawn=self.spawn,
            deadline=self.deadline,
            files=job.files,
            references=self.references,
        )
        # Tests that raised an exception before any call returned.
        self.unanswered: set[str] = set()
        # Tests for which a reference function was called, by them or by a cell before.
        self.reference_callers: set[str] = set()
        self.untried: list[str] = []  # as in `Report`
        self._cells_call_references = False
        self._reference_records: dict[Any, bool] = {}  # whether a reference was called
        self._history: list[Step] = []  # all steps so far, test cells included
        # Tests for the student's process, each with the number of steps before it.
        self._in_process_tests: list[tuple[Cell, int]] = []
        self._stops: dict[str | None, list[Outcome]] = {}
        # Exercises of which a test was judged once more for lack of memory.
        self._memory_retries: set[str | None] = set()

    def run_to_end(self, steps: Iterable[Step]) -> None:
        """Run cells and judge tests in order, then end the student process.

        Two kinds of tests wait for `judge_in_process`: those that are judged in the
        student's process, and those that do not pass although it is unknown whether
        they can be judged from outside.
        """
        try:
            self.run_steps(steps)
            self.untried = [*self.student.untried(self._solved_exercises())]
        finally:
            self.student.close()

    def _solved_exercises(self) -> set[str | None]:
        """Return the exercises whose tests have all been judged here, and passed."""
        exercises = set()
        unsolved = set()
        for cell in self.job.cells:
            if cell.kind == "test" and cell.points:
                exercises.add(cell.exercise)
                judged = self.verdicts.get(cell.id)
                if judged is None or judged.outcome != "passed":
                    unsolved.add(cell.exercise)
        return exercises - unsolved

    def run_steps(self, steps: Iterable[Step]) -> None:
        """Do the next steps; the student process stays alive."""
        for step in steps:
            calls = ReferenceFunction.calls
            test = step.test
            position = len(self._history)
            if not test:
                self.student.run(step)
                self._cells_call_references |= ReferenceFunction.calls > calls
            elif test.where == "beside":
                self._in_process_tests.append((test, position))
            else:
                judged = self._judge(test)
                self.verdicts[test.id] = judged
                is_unplaced = test.where == "judge" and test.placement_reason
                if is_unplaced and judged.outcome != "passed":
                    self._in_process_tests.append((test, position))
                is_caller = ReferenceFunction.calls > calls
                uses_references = self._note_references(is_caller)
                if self._cells_call_references or uses_references:
                    self.reference_callers.add(test.id)
            self._history.append(step)

    def _note_references(self, is_caller: bool) -> bool:
        """Record for which new answers the last test has called a reference.

        Returns whether it called one, or judged answers for which one was called.
        """
        records = self.student.records
        for key in records.keys() - self._reference_records.keys():
            self._reference_records[key] = is_caller
        used = [self._reference_records.get(key) for key in specification.looked_up]
        specification.looked_up.clear()
        return is_caller or any(used)

    def judge_in_process(self) -> None:
        """Judge the tests that run in the student's process.

        They come last, when no other output is left that could show what such a process
        has seen of a hidden test.
        """
        for cell, position in self._in_process_tests:
            in_process_test = replace(cell, where="beside")
            judged = self._judge(in_process_test, self._history[:position])
            first = self.verdicts.get(cell.id)
            if first and judged.points > first.points:
                judged = verdict(cell, verdicts.PASSES_INSIDE)
            elif first and first.outcome != "not run":
                continue
            self.verdicts[cell.id] = judged

    @property
    def notes(self) -> list[str]:
        """Notes on stopped cells, and on stopped tests that cost points; each once."""
        lost = [
            judged.message
            for judged in self.verdicts.values()
            if judged.outcome in ("timeout", "died")
            and judged.max_points
            and not judged.is_skipped
        ]
        return list(dict.fromkeys([*self.student.notes, *lost]))

    def explain_stops(self) -> None:
        """Replace a failure by the reason why the cell of its exercise could not run.

        A line that is not part of an answer, and stops all answers, must not cause a 0.
        """
        stops = self.student.stops
        cells = self.job.cells
        stubs = {cell.id: cell.stub.strip() for cell in cells}
        answers = {
            step.exercise
            for step in self._history
            if step.exercise and step.source.strip() != stubs[step.exercise]
        }
        not_run = {name for name, stop in stops.items() if stop.outcome == "not run"}
        runs_no_answer = bool(answers) and answers <= not_run
        for cell in cells:
            judged = self.verdicts.get(cell.id)
            stop = stops.get(cell.exercise or "")
            is_lost = judged is not None and judged.outcome in ("failed", "error")
            if is_lost and stop and (runs_no_answer or stop.outcome == "error"):
                self.verdicts[cell.id] = verdict(cell, stop)

    def _judge(self, cell: Cell, history: Sequence[Step] = ()) -> Verdict:
        """Judge a test where it must be judged, or say why it is not run."""
        test = self.tests.cells[cell.id]
        refusal = self._refuse(cell)
        if refusal:
            return verdict(cell, refusal)
        if cell.where == "beside":
            return self._judge_in_process(cell, history)
        variables = test.program.binds - test.visible_bindings
        if test.is_public and not (variables and variables & self._student_names):
            return self._run_public_test(cell)
        return self._judge_here(cell)

    def _refuse(self, cell: Cell) -> Message | None:
        """Return why a test is not run; None if it can be run."""
        broken = self.tests.cells[cell.id].program.broken
        stops = self._stops.get(cell.exercise, [])
        if cell.where == "nowhere":
            return verdicts.UNJUDGED
        if broken and cell.where == "judge":
            return verdicts.BROKEN(text=broken)
        if time.monotonic() > self.deadline:
            return verdicts.OUT_OF_TIME
        if len(stops) >= self.max_stops:
            message = verdicts.STOPPED(exercise=cell.exercise)
            return message._replace(outcome=stops[-1])
        return None

    def _judge_here(self, cell: Cell) -> Verdict:
        """Run a test in the judge; again, if it was the memory that it lacked."""
        student = self.student
        max_points = cell.points
        hidden = max_points > 0 or cell.stub != cell.source
        try:
            # A failure here says nothing about the answer.
            session = student.ensure_session()
        except ProcessEnded as end:
            return self._stopped(cell, end)
        with testcell.captured(student.processor_seconds) as (out, err, measured):
            try:
                points, error = self._run_test(cell, session)
                is_first = cell.exercise not in self._memory_retries
                lacks_memory = isinstance(error, MemoryError) and is_first
                if lacks_memory and not session.has_answered:
                    # The answer may not be at fault, so it is judged again in a fresh
                    # process.
                    self._memory_retries.add(cell.exercise)
                    student.exclude_memory_hog()
                    return self._judge(cell)
                has_written, uncalled_method = session.end_test()
            except ProcessEnded as end:
                session.close(end)
                if end.reason == "died" and student.exclude_memory_hog():
                    return self._judge(cell)
                return self._stopped(cell, end)
        if error is None:
            message = verdicts.PASSED
            if points < max_points:
                message = verdicts.PART(points=points, most=max_points)
            strict = hidden and self.job.stderr_fails_tests
            if strict and (err.getvalue() or has_written):
                points = 0.0
                message = verdicts.STDERR
        else:
            message = explain(error, student.sources, hidden=hidden)
            name = error.name if isinstance(error, NameError) else None
            for refused_cell, text in student.refused.items():
                if name and name in text:
                    message = verdicts.REFUSED(where=f" in `{refused_cell}`")
            if message.outcome == "error" and not session.has_answered:
                self.unanswered.add(cell.id)
        return replace(
            verdict(cell, self._excused(cell, message, uncalled_method), points),
            printed="" if hidden else plain_text(out.getvalue(), testcell.MAX_PRINTED),
            measures=tuple(map(_sanitize_measure, measured)),
        )

    def _run_test(
        self,
        cell: Cell,
        session: Session,
    ) -> tuple[float, BaseException | None]:
        """Run a test in the judge; return its points, and what it raised."""
        try:
            value = self._names.run(
                cell.id,
                session=session,
                seconds=min(self.job.limits.cell, self.deadline - time.monotonic()),
                answer=self.student.answer_with_constants(cell.exercise or ""),
            )
        except ProcessEnded:
            raise
        except BaseException as error:  # a test may raise anything
            return 0.0, error
        return verdicts.score_value(value, cell.points), None

    @cached_property
    def _student_names(self) -> set[str]:
        """The names that the student's cells make."""
        names = set[str]()
        for cell in self.job.student:
            if cell.id not in self.tests.cells:
                names |= CellText.parse(cell.source).names
        return names

    def _run_public_test(self, cell: Cell) -> Verdict:
        """Run a test in the student's process, as in a kernel.

        It has no points and hides nothing, so forging it gains nothing. A test that
        assigns to a name of the student runs in the judge.
        """
        student = self.student
        # It makes several calls, but one that hangs must not take the time of a whole
        # cell.
        limits = self.job.limits
        seconds = min(limits.cell, 2 * limits.call)
        try:
            session = student.ensure_session()
            if "rand" in cell.source:  # it gets the same random numbers each time
                testcell.seed_student(session, self.tests.cells[cell.id].seed)
            outputs, _ = student.send(session, Step(cell.id, cell.source), seconds)
            student.defined_by_tests.add(cell.id)
        except ProcessEnded as end:
            return verdict(cell, self._describe_end(cell, end))
        message = self._explain_outputs(outputs, cell)
        printed = [o["text"] for o in outputs if o.get("name") == "stdout"]
        return replace(
            verdict(cell, self._excused(cell, message)),
            printed=plain_text("".join(printed), testcell.MAX_PRINTED),
        )

    def _explain_outputs(self, outputs: list[Output], cell: Cell) -> Message:
        """Return what a public test says, with the line where an answer fails."""
        error = self.student.raised
        if error:
            if error.cell not in (None, cell.id):
                return explain(error, self.student.sources, hidden=False)
            if name := _UNKNOWN_NAME.fullmatch(error.text):
                return verdicts.NO_NAME(name=name[1])
        return verdicts.score_outputs(outputs, cell)[1]

    def _judge_in_process(self, cell: Cell, history: Sequence[Step]) -> Verdict:
        """Run a test cell, and what comes before it, in a process of the student's own.

        A test that captures output, patches or deletes a student's names, or uses
        objects of any library cannot be judged through proxies. It runs as in a kernel.
        Student code could forge its result, as under stock nbgrader. It still cannot
        leave the sandbox, and the hidden parts of the judge's own test cells, except
        imports, are never in this process.
        """
        student = self.student
        session = student.start_session(student.files)
        try:
            for step in self._steps_before(cell, history):
                student.send(session, step)
            outputs, _ = student.send(session, Step(cell.id, cell.source))
        except ProcessEnded as end:
            return self._stopped(cell, end)
        finally:
            session.close()
        points, message = verdicts.score_outputs(outputs, cell)
        on_stderr = any(output.get("name") == "stderr" for output in outputs)
        if points and self.job.stderr_fails_tests and on_stderr:
            points = 0.0
            message = verdicts.STDERR
        return verdict(cell, self._excused(cell, message), points)

    def _steps_before(self, cell: Cell, history: Sequence[Step]) -> list[Step]:
        """Return the steps that a test in the student's process needs before it."""
        test = self.tests.cells[cell.id]
        needs = {*test.needs}
        for name, other in self.tests.cells.items():
            # A test that uses names of these may have changed their values.
            uses_shared = other.program.uses & test.shared
            if uses_shared or other.program.binds & self.tests.names_from_tests:
                needs.add(name)
        steps = []
        for step in history:
            if not step.test:
                if step in self.student.executed_steps:
                    steps.append(step)
            elif step.name in needs and step.test.where == "beside":
                steps.append(Step(step.name, step.test.source))
            elif step.name in needs:
                imports = definitions_of(parse(step.test.source), IMPORTS)
                steps.append(Step(step.name, ast.unparse(imports)))
                steps.append(Step(step.name, step.test.stub))
        return steps

    def _excused(
        self,
        cell: Cell,
        message: Message,
        uncalled_method: str = "",
    ) -> Message:
        """Return the message, or that the test waits: the sandbox may be the cause."""
        if message.outcome in ("failed", "error"):
            if cell.exercise in self.student.refused:
                return verdicts.REFUSED(where=f" in `{cell.exercise}`")
            if uncalled_method and not cell.placement_reason:
                return verdicts.METHOD_NOT_CALLED(by=uncalled_method)
        return message

    def _stopped(self, cell: Cell, end: ProcessEnded) -> Verdict:
        message = self._describe_end(cell, end)
        self._stops.setdefault(cell.exercise, []).append(message.outcome)
        return verdict(cell, message)

    def _describe_end(self, cell: Cell, end: ProcessEnded) -> Message:
        return self.student.describe_end(end, f"`{cell.exercise or cell.id}`")


def _sanitize_measure(measured: Measured) -> Measure:
    """Return what a test has measured, with text that is safe to show."""
    return Measure(
        name=one_line(measured.name),
        value=measured.value,
        of=float(measured.of),
        note=one_line(measured.note),
        pictures=tuple((one_line(caption), png) for caption, png in measured.pictures),
    )
