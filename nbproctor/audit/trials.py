"""Trials: right and wrong solutions of single exercises are run.

A few workers share them. Before a worker runs the solution of an exercise of the
reference notebook, it forks once for every solution on trial. So imports and data are
loaded once, all other exercises are right, and a solution that hangs or dies harms no
other. Fork and judge are those of grading. Of the sandbox, every layer that this
computer has is used.
"""

from __future__ import annotations

import ast
import builtins
import gc
import os
import re
import socket
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from msgspec import json

from nbproctor.audit import borrowers
from nbproctor.audit.borrowers import BORROWED_NAME, Call, PassedArrays
from nbproctor.audit.result import Entry
from nbproctor.audit.variants import Trial
from nbproctor.cells import CellText
from nbproctor.engine import Settings
from nbproctor.errors import NbproctorError
from nbproctor.judge import clock
from nbproctor.judge.compiled import Program, Tests
from nbproctor.judge.exports import ReferenceFunction
from nbproctor.judge.order import References, Step
from nbproctor.judge.run import NotebookRun
from nbproctor.markers import DEFINITIONS, bound_names, definitions_of, imports, parse
from nbproctor.notebook import Cell, MasterNotebook, added_test
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
from nbproctor.sandbox.forkserver import (
    REPRODUCIBLE_VARIABLES,
    THREAD_VARIABLES,
    PythonProcess,
    python_command,
)
from nbproctor.sandbox.layers import SandboxError
from nbproctor.sandbox.policy import free_uid
from nbproctor.sandbox.processors import Processor, count_processors, pin_to_processor
from nbproctor.student import process
from nbproctor.student.shell import get_shell, index_modules

# A solution may take so many times longer than the reference, but at least so long.
TIMEOUT_FACTOR = 10
MIN_TIMEOUT = 2.0


_DIGEST = """
import hashlib, pickle
raise AssertionError(hashlib.sha256(pickle.dumps([{names}])).hexdigest())
"""


class TrialError(NbproctorError):
    """No trial can be held; the message says what is wrong with the notebook."""


@dataclass(frozen=True)
class TrialBatch:
    """The trials of a notebook that one worker runs."""

    master: MasterNotebook
    folder: str  # where their code runs
    oracles: Mapping[str, Cell]  # exercise → test cell of its oracle
    settings: Settings  # of the forks
    trials: list[Trial]
    borrowing_exercises: list[str]  # exercises that are tried with the tests' objects
    processor: int | None = None


@dataclass(frozen=True)
class BorrowedAnswer:
    """A test's object, tried as the answer to an exercise."""

    exercise: str
    name: str
    says: str  # how it is a right answer; empty if it is none


@dataclass(frozen=True)
class Answer:
    """A worker's message: how a trial ended, or what went wrong."""

    entry: Entry | None = None
    hints: list[str] = field(default_factory=list)  # what no test has tried
    borrowed_answers: list[BorrowedAnswer] = field(default_factory=list)
    error: str = ""


def run_trials(
    master: MasterNotebook,
    folder: Path,
    trials: Sequence[Trial],
    oracles: Mapping[str, Cell],
    settings: Settings,
    progress: Callable[[Trial], object],
) -> tuple[list[Answer], list[BorrowedAnswer]]:
    """Run the trials of a notebook; those of its reference solutions come first.

    Then every object that a test passes on is tried as the answer to every exercise.
    The code runs in `folder`, with one process per processor. Trials of exercises that
    the notebook lacks are left out. `TrialError`: a cell of the reference notebook
    fails, or a worker has died.
    """
    references = []
    others = []
    for trial in trials:
        if trial.exercise not in master.exercises:
            continue
        if trial.kind == "reference":
            references.append(trial)
        else:
            others.append(trial)
    workers = count_processors()
    exercises = [trial.exercise for trial in references]
    # Each worker needs the time of every reference, so it tries them all.
    batches = [
        TrialBatch(
            master=master,
            folder=str(folder),
            oracles=oracles,
            settings=settings,
            trials=[*references, *others[n::workers]],
            borrowing_exercises=exercises[n::workers],
        )
        for n in range(workers)
    ]
    with ThreadPoolExecutor(workers) as threads:
        shared = threads.map(partial(_ask_worker, progress), batches)
        answers = [answer for some in shared for answer in some]
    results = {_key(answer.entry): answer for answer in answers if answer.entry}
    borrowed_answers = [
        borrowed for answer in answers for borrowed in answer.borrowed_answers
    ]
    return [results[_key(trial)] for trial in [*references, *others]], borrowed_answers


def _key(trial: Trial) -> tuple[str, ...]:
    return trial.exercise, trial.kind, trial.name


def _ask_worker(progress: Callable[[Trial], object], batch: TrialBatch) -> list[Answer]:
    """Let one worker run its batch of the trials."""
    answers = []
    command = partial(python_command, __name__)
    variables = dict.fromkeys(THREAD_VARIABLES, "1") | REPRODUCIBLE_VARIABLES
    worker = PythonProcess(command, os.environ | variables)
    try:
        with closing(Processor()) as processor:
            on_processor = replace(batch, processor=processor.number)
            write_block(worker.sock, json.encode(on_processor))
            while answer := json.decode(read_block(worker.sock), type=Answer | None):
                if answer.error:
                    raise TrialError(answer.error)
                answers.append(answer)
                if answer.entry:
                    progress(answer.entry)
    except (EOFError, ConnectionError) as error:
        message = worker.output_tail(1000) or "no message"
        raise TrialError(f"a process of the audit has died: {message}") from error
    finally:
        worker.end(timeout=0)
    return answers


# ---- in a worker ---------------------------------------------------------------------


def main(descriptor: int) -> None:
    """Walk through the notebook that the parent sends, and tell it each result."""
    answer = None
    with socket.socket(fileno=descriptor) as parent:
        parent.set_inheritable(False)
        batch = json.decode(read_block(parent), type=TrialBatch)
        try:
            pin_to_processor(batch.processor)
            with tempfile.TemporaryDirectory(prefix="nbproctor-") as base:
                _Walk(parent, batch, Path(base)).walk()
        except TrialError as error:
            answer = Answer(error=str(error))
        except Exception:
            answer = Answer(error=traceback.format_exc())
        write_block(parent, json.encode(answer))


def value_test(master: MasterNotebook, cell: Cell) -> Cell | None:
    """Return a test that fails with a digest of what a solution cell leaves.

    It asks for every name in the cell but modules and functions. None if the cell
    defines a function itself, or has no such name.
    """
    for node in ast.walk(parse(cell.source)):
        if isinstance(node, DEFINITIONS | ast.Lambda):
            return None
    program = Program.from_source(cell.source, cell.id, runs_in_judge=False)
    names = {*program.uses, *program.binds}
    names.difference_update(vars(builtins), {"__annotations__"})
    for each in master.of_kind("provided", "solution"):
        definitions = definitions_of(parse(each.source))
        names.difference_update(bound_names(definitions))
    if not names:
        return None
    source = _DIGEST.format(names=", ".join(sorted(names)))
    return added_test(f"{cell.id}: values", source, cell.id)


class _Walk:
    """Walks through the reference notebook, forking off the trials on its way."""

    def __init__(
        self,
        parent: socket.socket,
        batch: TrialBatch,
        base: Path,
    ) -> None:
        self.parent = parent
        self.batch = batch
        self.base = base  # of scratch folders
        base.chmod(0o711)  # another user id passes through to its own folder
        settings = batch.settings
        uid = free_uid(settings.policy, in_bubblewrap=False)
        self.policy = replace(settings.policy, uid=uid)
        cells = [*batch.master.cells]
        #: Exercise → tests for what has passed all others: its oracle, and its values.
        self.last_steps: dict[str, list[Step]] = {}
        for cell in batch.master.of_kind("solution"):
            oracle = batch.oracles.get(cell.id)
            values = value_test(batch.master, cell)
            if oracle:  # it may use the tools of the exercise's other tests
                numbers = [n for n, c in enumerate(cells, 1) if c.exercise == cell.id]
                cells.insert(numbers[-1], oracle)
            if values:
                cells.append(values)
            last_tests = [test for test in (oracle, values) if test]
            self.last_steps[cell.id] = [Step(t.id, test=t) for t in last_tests]
        self.job = Job(
            cells=tuple(cells),
            student=(),
            limits=settings.limits,
            stderr_fails_tests=settings.stderr_fails_tests,
        )
        self.tests = Tests.from_cells(self.job.cells)
        self.stubs = {cell.id: cell.stub for cell in cells if cell.kind == "test"}
        self.calls: dict[Any, Call] = {}  # of objects that tests passed on
        #: Exercise → digest of what its reference leaves.
        self.values: dict[str, str | None] = {}
        os.chdir(batch.folder)
        sys.path.insert(0, "")  # as in a notebook, for modules that lie next to it

    @clock.patch_clocks()
    def walk(self) -> None:
        with suppress(SandboxError):
            layers.prepare()  # before the shell refuses to start programs
        modules = [name for cell in self.job.cells for name in imports(cell.source)]
        for name in libraries_used(modules):
            with suppress(ImportError):
                import_module(name)
        load_rows()
        shell = get_shell()
        shell.install()
        exercises = []
        cells = self.batch.master.cells
        for index, cell in enumerate(cells, 1):
            if cell.kind == "solution":
                index_modules()
                libc.give_back_memory()
                # Old objects are not looked at again, so their pages stay shared.
                gc.freeze()
                steps = _steps(cells[index:])
                exercises.append((cell, steps))
                self._try_all(cell, steps)
            if cell.kind in ("provided", "solution") and not cell.skip:
                for output in shell.run(cell.source, cell.id):
                    if output["output_type"] == "error":
                        raise TrialError(
                            f"the cell {cell.id} of the reference notebook fails: "
                            f"{output['ename']}: {output['evalue']}"
                        )
        libc.give_back_memory()
        # All other solutions are there, as where a notebook is done.
        values = borrowers.PassedArrays()
        for cell, steps in exercises:
            note = partial(values.note, cell.id)
            self._points(cell, steps, "notes", note)
        for cell, steps in exercises:
            if cell.id in self.batch.borrowing_exercises:
                borrowed_answers = self._try_borrowed_answers(cell, steps, values)
                write_block(
                    self.parent, json.encode(Answer(borrowed_answers=borrowed_answers))
                )

    def _try_all(self, cell: Cell, steps: list[Step]) -> None:
        job = self.job
        for trial in self.batch.trials:
            if trial.exercise != cell.id:
                continue
            start = time.monotonic()
            answer = self._try(trial, cell, steps, job)
            duration = time.monotonic() - start
            if duration > MIN_TIMEOUT:  # so long a loop may have filled the memory
                libc.give_back_memory()
            if trial.kind == "reference":
                seconds = round(MIN_TIMEOUT + TIMEOUT_FACTOR * duration, 1)
                job = replace(job, limits=Limits(seconds, 2 * seconds, 4 * seconds))
            write_block(self.parent, json.encode(answer))

    def _try(
        self,
        trial: Trial,
        cell: Cell,
        steps: list[Step],
        job: Job,
    ) -> Answer:
        # As a submission is repaired before it is graded.
        text = CellText(trial.source)
        source = text.without_stub_line(CellText(cell.stub), CellText(cell.source)).text
        # Whatever fails a public test has to lose a point.
        is_mutant = trial.kind == "mutant"
        public = [
            step for step in steps if is_mutant and step.test and not step.test.points
        ]
        played = self._run(job)

        def plan() -> Iterator[Step]:
            yield Step(
                name=cell.id,
                source=source,
                index=0,
                exercise=cell.id,
            )
            for step in steps:
                if step not in public:
                    yield step
                # The first counts: it is the reference's, and what a loop without an
                # end has noted is not retained.
                self.calls = borrowers.find_calls(played.passed_objects()) | self.calls
            for group in (public, *([step] for step in self.last_steps[cell.id])):
                if all(v.outcome == "passed" for v in played.verdicts.values()):
                    yield from group

        played.run_to_end(plan())
        played.judge_in_process()
        oracle = played.verdicts.pop(f"{cell.id}: oracle", None)
        values = played.verdicts.pop(f"{cell.id}: values", None)
        digest = re.search("[0-9a-f]{64}", values.message) if values else None
        # None if it has lost a point, or is made of functions, which nobody has called
        # with everything.
        values_digest = digest and digest[0]
        if trial.kind == "reference":
            self.values[cell.id] = values_digest
        is_same = values_digest and values_digest == self.values.get(cell.id)
        if is_same and is_mutant and not trial.equivalent:
            same = "It leaves the same values in every name."
            trial = replace(trial, equivalent=same)
        entry = Entry.from_trial(
            trial,
            [*played.verdicts.values()],
            self.stubs,
            oracle,
            tuple(played.notes),
        )
        name = trial.place or trial.name
        hints = [
            f"no test enters a branch of {name}: {branch}" for branch in played.untried
        ]
        return Answer(entry=entry, hints=[] if is_mutant else hints)

    def _run(self, job: Job, references: References | None = None) -> NotebookRun:
        """Return a run whose student processes begin where the worker is."""

        def begin() -> Fork:
            scratch = Path(tempfile.mkdtemp(dir=self.base))
            student = fork(process.main, self.policy, scratch)
            wait_until_sandboxed(student.sock)
            return student

        until = time.monotonic() + job.limits.submission
        return NotebookRun(job, self.tests, begin, until, 1, references)

    def _try_borrowed_answers(
        self,
        cell: Cell,
        steps: list[Step],
        values: PassedArrays,
    ) -> list[BorrowedAnswer]:
        """Try objects that tests pass to student code as the answer to an exercise."""
        possible = sum(step.test.points for step in steps if step.test)
        dull = [self._points(cell, steps, name) for name in borrowers.DUMMY_ANSWERS]
        # With full points, a dull answer is a right one here.
        dull = [earned for earned in dull if earned and sum(earned.values()) < possible]
        answers = []
        for name, call in self.calls.values() if dull else ():
            points = self._points(cell, steps, "borrows", call).items()
            more = [
                test
                for test, value in points
                if all(value > earned.get(test, 0) for earned in dull)
            ]
            says = f"it earns the points of {', '.join(more)}" if more else ""
            answers.append((name, says))
        for other in values.exercises_passing(cell.id):
            name = f"an array that tests pass to {other}"
            answers.append((name, "it is the correct result of a call"))
        return [
            BorrowedAnswer(
                exercise=cell.id,
                name=name,
                says=says,
            )
            for name, says in answers
        ]

    def _points(
        self,
        cell: Cell,
        steps: list[Step],
        decorator: str,
        function: Callable[..., Any] | None = None,
    ) -> dict[str, float]:
        """Return what a decorated solution earns; `function` is for the decorator."""
        lent = {}
        if function is not None:
            lent[BORROWED_NAME] = ReferenceFunction(function, lambda: None)
            decorator += f"({BORROWED_NAME})"
        source = borrowers.decorate_functions(cell.source, decorator)
        if source is None:
            return {}
        played = self._run(self.job, References(judge_functions=lent))
        graded = [step for step in steps if step.test is None or step.test.points]
        answer = Step(
            name=cell.id,
            source=source,
            index=0,
            exercise=cell.id,
        )
        played.run_to_end(
            [Step("lent", reference_functions=frozenset(lent)), answer, *graded]
        )
        return {name: verdict.points for name, verdict in played.verdicts.items()}


def _steps(cells: Sequence[Cell]) -> list[Step]:
    """Return what follows a solution cell, up to its last test."""
    steps = []
    for cell in cells:
        if cell.kind == "solution":
            break
        if cell.kind == "test":
            steps.append(Step(cell.id, test=cell))
        elif cell.kind == "provided" and not cell.skip:
            steps.append(Step(cell.id, cell.source))
    while steps and not steps[-1].test:
        steps.pop()
    return steps
