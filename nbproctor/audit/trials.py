"""Trials: right and wrong solutions of single exercises are run and judged.

Several workers share them. Each worker runs the reference notebook. Before the solution
cell of an exercise, it forks once for every solution on trial. So imports and data are
loaded once, the solutions of the other exercises are right, and a solution that hangs
or dies affects no other. Fork, judge and sandbox are those of grading, but layers of
the sandbox that this computer lacks may be missing.
"""

from __future__ import annotations

import gc
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, TypeAlias

from msgspec import json

from nbproctor.audit import borrowers
from nbproctor.audit.borrowers import BORROWED_NAME, BorrowedAnswer, Call
from nbproctor.audit.result import Entry
from nbproctor.audit.variants import Trial
from nbproctor.cells import CellText
from nbproctor.engine import Settings
from nbproctor.errors import NbproctorError
from nbproctor.judge import clock
from nbproctor.judge.compiled import Tests
from nbproctor.judge.exports import ReferenceFunction
from nbproctor.judge.order import References, Step
from nbproctor.judge.run import NotebookRun
from nbproctor.markers import imports
from nbproctor.notebook import Cell, MasterNotebook
from nbproctor.protocol.table import libraries_used, load_rows
from nbproctor.results import Job, Limits
from nbproctor.sandbox import layers, libc
from nbproctor.sandbox.fork import (
    Fork,
    fork,
    read_block,
    wait_until_sandboxed,
    write_block,
)
from nbproctor.sandbox.forkserver import PythonProcess, environment, python_command
from nbproctor.sandbox.layers import SandboxError
from nbproctor.sandbox.policy import free_uid
from nbproctor.sandbox.processors import Processor, count_processors, pin_to_processor
from nbproctor.student import process
from nbproctor.student.shell import get_shell, import_modules, index_modules

# The time limit of a solution: this factor times the time of the reference, plus a
# minimum in seconds.
TIMEOUT_FACTOR = 10
MIN_TIMEOUT = 2.0


class AuditError(NbproctorError):
    """The tests cannot be audited; the message says why and what to do."""


@dataclass(frozen=True)
class TrialBatch:
    """The trials of a notebook that one worker runs."""

    master: MasterNotebook  # with the oracle of each exercise
    settings: Settings  # of the forks
    trials: list[Trial]
    borrowing_exercises: list[str]  # exercises that are tried with the tests' objects


Progress: TypeAlias = Callable[[Trial], object]
# The entry of a trial, or the objects that were tried as the answer to an exercise.
TrialResult: TypeAlias = Entry | list[BorrowedAnswer]
# A worker sends results, an error, or that it is done.
Message: TypeAlias = TrialResult | str | None


def run_trials(
    master: MasterNotebook,
    folder: Path,
    trials: Sequence[Trial],
    oracles: Mapping[str, Cell],
    settings: Settings,
    progress: Progress,
) -> tuple[list[Entry], list[BorrowedAnswer]]:
    """Run the trials of a notebook; those of its reference solutions come first.

    Then every object that a test passes to student code is tried as the answer to every
    exercise. The code runs in `folder`, with one process per processor. Returns an
    entry for each trial, without trials of exercises that the notebook lacks, and the
    answers that were tried with objects of tests. `AuditError`: a cell of the reference
    notebook fails, or a worker has died.
    """
    trials = [trial for trial in trials if trial.exercise in master.exercises]
    references = [trial for trial in trials if trial.kind == "reference"]
    others = [trial for trial in trials if trial.kind != "reference"]
    workers = count_processors()
    tested = with_oracles(master, oracles)
    batches = [
        TrialBatch(
            master=tested,
            settings=settings,
            # Each worker runs all references: their times set its time limits.
            trials=[*references, *others[worker::workers]],
            borrowing_exercises=[t.exercise for t in references[worker::workers]],
        )
        for worker in range(workers)
    ]
    entries = {}
    borrowed_answers = []
    with ThreadPoolExecutor(workers) as threads:
        shares = threads.map(partial(_ask_worker, folder, progress), batches)
        for message in chain.from_iterable(shares):
            if isinstance(message, Entry):
                entries[_key(message)] = message
            else:
                borrowed_answers += message
    return [entries[_key(trial)] for trial in trials], borrowed_answers


def _key(trial: Trial) -> tuple[str, ...]:
    return trial.exercise, trial.kind, trial.name


def _ask_worker(
    folder: Path,
    progress: Progress,
    batch: TrialBatch,
) -> list[TrialResult]:
    """Run a batch of trials in a worker; return the results that it sends."""
    messages: list[TrialResult] = []
    command = partial(python_command, __name__)
    with tempfile.TemporaryDirectory(prefix="nbproctor-") as base:
        variables = environment(batch.settings.policy, Path(base))
        worker = PythonProcess(command, variables, cwd=folder)
        try:
            write_block(worker.sock, json.encode(batch))
            while True:
                message = json.decode(read_block(worker.sock), type=Message)
                if message is None:
                    return messages
                if isinstance(message, str):
                    raise AuditError(message)
                if isinstance(message, Entry):
                    progress(message)
                messages.append(message)
        except (EOFError, ConnectionError) as error:
            reason = worker.output_tail(1000) or "no message"
            raise AuditError(f"a process of the audit has died: {reason}") from error
        finally:
            worker.end(timeout=0)


# ---- in a worker ---------------------------------------------------------------------


def main(descriptor: int) -> None:
    """Run the batch that the parent sends, and send each result back."""
    processor = Processor()  # reserved until this process ends
    pin_to_processor(processor.number)
    with socket.socket(fileno=descriptor) as parent, clock.patch_clocks():
        parent.set_inheritable(False)
        batch = json.decode(read_block(parent), type=TrialBatch)
        end = None
        try:
            for message in _Walk(batch, Path(tempfile.gettempdir())).walk():
                write_block(parent, json.encode(message))
        except AuditError as error:
            end = str(error)
        write_block(parent, json.encode(end))


def with_oracles(master: MasterNotebook, oracles: Mapping[str, Cell]) -> MasterNotebook:
    """Add the oracle of each exercise, for answers that pass all other tests.

    It follows these tests, so that it may use their tools.
    """
    waiting = dict(oracles)
    cells = []
    for cell in reversed(master.cells):
        oracle = waiting.pop(cell.exercise or "", None)
        if oracle:
            cells.append(oracle)
        cells.append(cell)
    return master.with_cells(reversed(cells))


class _Exercise:
    """An exercise on trial: its solution cell, and the steps that judge an answer."""

    def __init__(self, cell: Cell, cells_below: Sequence[Cell]) -> None:
        self.cell = cell
        self.steps: list[Step] = []  # up to its last test
        self.oracle: list[Step] = []
        test_count = 0
        for other in cells_below:
            if other.kind == "solution":
                break
            if other.kind == "test":
                step = Step(other.id, test=other)
                if other.cell_id:
                    self.steps.append(step)
                    test_count = len(self.steps)
                else:  # only oracles have no cell in the notebook
                    self.oracle.append(step)
            elif other.kind == "provided" and not other.skip:
                self.steps.append(Step(other.id, other.source))
        del self.steps[test_count:]
        self.public = [
            step for step in self.steps if step.test and not step.test.points
        ]
        # With the code between the tests.
        self.graded = [step for step in self.steps if step not in self.public]

    def answer(self, source: str) -> Step:
        """Return the step that runs an answer."""
        return Step(
            name=self.cell.id,
            source=source,
            index=0,
            exercise=self.cell.id,
        )


class _Walk:
    """Walks through the reference notebook, and forks a process for each trial."""

    def __init__(self, batch: TrialBatch, base: Path) -> None:
        self.batch = batch
        self.base = base  # of scratch folders
        base.chmod(0o711)  # another user id must reach its own folder in it
        settings = batch.settings
        uid = free_uid(settings.policy, in_bubblewrap=False)
        self.policy = replace(settings.policy, uid=uid)
        self.job = Job(
            cells=batch.master.cells,
            student=(),
            limits=settings.limits,
            stderr_fails_tests=settings.stderr_fails_tests,
        )
        self.tests = Tests.from_cells(self.job.cells)
        self.stubs = {cell.id: cell.stub for cell in batch.master.of_kind("test")}
        self.calls: dict[Any, Call] = {}  # of objects that tests passed on
        sys.path.insert(0, "")  # as in a notebook, for modules next to it

    def walk(self) -> Iterator[Message]:
        with suppress(SandboxError):
            layers.prepare()  # before the shell forbids programs
        modules = [name for cell in self.job.cells for name in imports(cell.source)]
        import_modules(libraries_used(modules))
        load_rows()
        shell = get_shell()
        shell.install()
        exercises = []
        master = self.batch.master
        for index, cell in enumerate(master.cells, 1):
            if cell.kind == "solution":
                index_modules()
                libc.give_back_memory()
                # The garbage collector then ignores old objects: pages stay shared.
                gc.freeze()
                exercise = _Exercise(cell, master.cells[index:])
                yield from self._try_all(exercise)
                exercises.append(exercise)
            if cell.kind in ("provided", "solution") and not cell.skip:
                for output in shell.run(cell.source, cell.id):
                    if output["output_type"] == "error":
                        raise AuditError(
                            f"{master.notebook}: the cell {cell.id} of the "
                            "reference notebook fails: "
                            f"{output['ename']}: {output['evalue']}"
                        )
        libc.give_back_memory()
        # Now all other solutions are defined, as in a finished notebook.
        arrays = borrowers.PassedArrays()
        for exercise in exercises:
            note = partial(arrays.note, exercise.cell.id)
            self._points(exercise, "notes", note)
        for exercise in exercises:
            name = exercise.cell.id
            if name in self.batch.borrowing_exercises:
                yield [*self._try_calls(exercise), *arrays.exercises_passing(name)]

    def _try_all(self, exercise: _Exercise) -> Iterator[Entry]:
        job = self.job
        for trial in self.batch.trials:
            if trial.exercise != exercise.cell.id:
                continue
            start = time.monotonic()
            entry = self._try(trial, exercise, job)
            duration = time.monotonic() - start
            if duration > MIN_TIMEOUT:  # a long loop may have filled the memory
                libc.give_back_memory()
            if trial.kind == "reference":
                seconds = round(MIN_TIMEOUT + TIMEOUT_FACTOR * duration, 1)
                limits = Limits(
                    call=seconds,
                    cell=2 * seconds,
                    submission=4 * seconds,
                )
                job = replace(job, limits=limits)
            yield entry

    def _try(
        self,
        trial: Trial,
        exercise: _Exercise,
        job: Job,
    ) -> Entry:
        # A submission is repaired in the same way before it is graded.
        cell = exercise.cell
        text = CellText(trial.source).without_stub_line(
            CellText(cell.stub), CellText(cell.source)
        )
        answer = exercise.answer(text.text)
        groups = [answer], exercise.steps
        if trial.kind == "mutant":
            # A mutant that fails a public test must also lose a point in a graded one.
            groups = [answer, *exercise.graded], exercise.public
        run = self._run(job)

        def plan() -> Iterator[Step]:
            for group in groups:
                for step in group:
                    yield step
                    # The first call of a name stays: it comes from the reference, not
                    # from an answer that may loop for ever.
                    calls = borrowers.find_calls(run.student.passed_objects())
                    self.calls = calls | self.calls
                if any(v.outcome != "passed" for v in run.verdicts.values()):
                    return
            yield from exercise.oracle

        run.run_to_end(plan())
        run.judge_in_process()
        oracle = run.verdicts.pop(f"{cell.id}: oracle", None)
        return Entry.from_trial(
            trial=trial,
            verdicts=[*run.verdicts.values()],
            stubs=self.stubs,
            oracle=oracle,
            notes=run.notes,
            untried=run.untried,
        )

    def _run(self, job: Job, references: References | None = None) -> NotebookRun:
        """Return a run whose student processes are forks of this worker."""

        def begin() -> Fork:
            scratch = Path(tempfile.mkdtemp(dir=self.base))
            student = fork(process.main, self.policy, scratch)
            wait_until_sandboxed(student.sock)
            return student

        return NotebookRun(
            job=job,
            tests=self.tests,
            spawn=begin,
            deadline=time.monotonic() + job.limits.submission,
            max_stops=1,
            references=references,
        )

    def _try_calls(self, exercise: _Exercise) -> Iterator[BorrowedAnswer]:
        """Try calls of the tests' objects as the answer to an exercise."""
        possible = sum(step.test.points for step in exercise.graded if step.test)
        dummy_points = []
        for name in borrowers.DUMMY_ANSWERS:
            earned = self._points(exercise, name)
            # A dummy answer with full points is a right answer to this exercise.
            if earned and sum(earned.values()) < possible:
                dummy_points.append(earned)
        if not dummy_points:
            return
        for name, call in self.calls.values():
            tests = [
                test
                for test, points in self._points(exercise, "borrows", call).items()
                if all(points > earned.get(test, 0) for earned in dummy_points)
            ]
            yield BorrowedAnswer(
                exercise=exercise.cell.id,
                name=name,
                says=f"it earns the points of {', '.join(tests)}" if tests else "",
            )

    def _points(
        self,
        exercise: _Exercise,
        decorator: str,
        function: Callable[..., Any] | None = None,
    ) -> dict[str, float]:
        """Return the points of a solution with decorated functions, by test.

        `decorator` is a name in `borrowers`; `function` is its argument, if it has one.
        """
        arguments = {}
        if function:
            arguments[BORROWED_NAME] = ReferenceFunction(function)
            decorator += f"({BORROWED_NAME})"
        source = borrowers.decorate_functions(exercise.cell.source, decorator)
        if not source:
            return {}
        run = self._run(self.job, References(judge_functions=arguments))
        run.run_to_end(
            [
                Step("lent", reference_functions=arguments),
                exercise.answer(source),
                *exercise.graded,
            ]
        )
        return {name: verdict.points for name, verdict in run.verdicts.items()}
