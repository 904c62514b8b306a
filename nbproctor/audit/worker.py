"""Worker of `trials`: forks a process for every solution, where its exercise begins.

Before the worker runs the solution of an exercise of the reference notebook, it forks
once for every solution on trial: imports and data are loaded once, all other exercises
are right, and a solution that hangs or dies harms no other. Fork and judge are those of
grading; the sandbox is put on as far as this computer has one.
"""

from __future__ import annotations

import contextlib
import gc
import os
import socket
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from dataclasses import asdict, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from nbproctor.audit.trials import TrialError
from nbproctor.audit.variants import Trial
from nbproctor.cells import CellText
from nbproctor.judge.compiled import Tests
from nbproctor.judge.order import Step
from nbproctor.judge.run import NotebookRun
from nbproctor.markers import imports
from nbproctor.notebook import Cell, MasterNotebook
from nbproctor.protocol.table import load_rows, used
from nbproctor.results import Job, Limits
from nbproctor.sandbox import layers
from nbproctor.sandbox.fork import Fork, confirm, fork, read_block, send
from nbproctor.sandbox.layers import SandboxError
from nbproctor.sandbox.policy import Policy, free_uid
from nbproctor.sandbox.processors import stay_on
from nbproctor.student import process
from nbproctor.student.shell import warm

# A solution may take so many times longer than the reference, but at least so long.
PATIENCE, LEAST_SECONDS = 10, 2.0


def main(descriptor: int) -> None:
    """Walk through the notebook that the parent sends, and tell it each result."""
    with socket.socket(fileno=descriptor) as parent:
        parent.set_inheritable(False)
        job = msgspec.json.decode(read_block(parent))
        try:
            stay_on(job["processor"])
            _TrialWorker(parent, job).walk()
        except TrialError as error:
            send(parent, {"error": str(error)})
        except Exception:
            send(parent, {"error": traceback.format_exc()})
        else:
            send(parent, {"end": 1})


def _fork(policy: Policy, base: Path) -> Fork:
    """Fork a student process that begins where the worker is in the notebook."""
    student = fork(process.main, policy, Path(tempfile.mkdtemp(dir=base)))
    confirm(student.sock)
    return student


class _TrialWorker:
    """Walks through the reference notebook, forking off the trials on its way."""

    def __init__(self, parent: socket.socket, job: dict[str, Any]) -> None:
        self.parent = parent
        self.master = msgspec.convert(job["master"], MasterNotebook)
        self.trials = msgspec.convert(job["trials"], list[Trial])
        policy = msgspec.convert(job["policy"], Policy)
        self.policy = replace(policy, uid=free_uid(policy, outer=False))
        self.fuzz = msgspec.convert(job["oracles"], dict[str, Cell])
        self.cells = tuple(self._with_fuzzing())
        self.limits = msgspec.convert(job["limits"], Limits)
        self.job = Job(self.cells, (), stderr_fails_tests=job["stderr_fails_tests"])
        self.tests = Tests.of(self.cells)
        os.chdir(job["folder"])
        sys.path.insert(0, "")  # as in a notebook, for modules that lie beside it

    def _with_fuzzing(self) -> Iterator[Cell]:
        """Yield the cells, and an exercise's fuzzing after the last of its own."""
        last = {cell.exercise: cell for cell in self.master.cells}
        for cell in self.master.cells:
            yield cell
            if cell.exercise in self.fuzz and cell is last[cell.exercise]:
                yield self.fuzz[cell.exercise]

    def walk(self) -> None:
        with contextlib.suppress(SandboxError):
            layers.prepare()  # before the shell refuses to start programs
        for name in used(n for cell in self.cells for n in imports(cell.source)):
            with contextlib.suppress(ImportError):
                import_module(name)
        load_rows()
        shell = warm()
        shell.take_over()
        with tempfile.TemporaryDirectory(prefix="nbproctor-") as name:
            base = Path(name)
            base.chmod(0o711)  # another user id passes through to its own folder
            for index, cell in enumerate(self.cells):
                if cell.kind == "solution":
                    # Old objects are not looked at again, so their pages stay shared.
                    gc.collect()
                    gc.freeze()
                    self._try_all(cell, self._steps_after(index), base)
                if cell.kind in ("provided", "solution") and not cell.skip:
                    for output in shell.run(cell.source, cell.id):
                        if output["output_type"] == "error":
                            raise TrialError(
                                f"the cell {cell.id} of the reference notebook fails: "
                                f"{output['ename']}: {output['evalue']}"
                            )

    def _steps_after(self, index: int) -> list[Step]:
        """Return what follows a solution cell, up to its last test."""
        steps: list[Step] = []
        last = 0
        for cell in self.cells[index + 1 :]:
            if cell.kind == "solution":
                break
            if cell.kind == "test" and cell not in self.fuzz.values():
                steps.append(Step(cell.id, test=cell))
                last = len(steps)
            elif cell.kind == "provided" and not cell.skip:
                steps.append(Step(cell.id, cell.source))
        return steps[:last]

    def _try_all(self, cell: Cell, steps: list[Step], base: Path) -> None:
        limits = self.limits
        for number, trial in enumerate(self.trials):
            if trial.exercise != cell.id:
                continue
            start = time.monotonic()
            said = self._try(trial, cell, steps, limits, base)
            if trial.kind == "reference":
                taken = time.monotonic() - start
                seconds = round(LEAST_SECONDS + PATIENCE * taken, 1)
                limits = Limits(seconds, 2 * seconds, 4 * seconds)
            send(self.parent, said | {"trial": number})

    def _try(
        self, trial: Trial, cell: Cell, steps: list[Step], limits: Limits, base: Path
    ) -> dict[str, Any]:
        public = trial.kind != "mutant"
        stub, reference = CellText(cell.stub), CellText(cell.source)
        # As a submission is repaired before it is graded.
        source = CellText(trial.source).without_stub_line(stub, reference).text
        fuzz = self.fuzz.get(trial.exercise)
        until = time.monotonic() + limits.submission
        played = NotebookRun(
            replace(self.job, limits=limits),
            self.tests,
            lambda: _fork(self.policy, base),
            until,
            max_stops=1,
        )

        def kept_all() -> bool:
            return all(v.outcome == "passed" for v in played.verdicts.values())

        def wanted() -> Iterator[Step]:
            yield Step(trial.exercise, source, 0, exercise=trial.exercise)
            for step in steps:
                if step.test is None or public or step.test.points:
                    yield step
            if not public and kept_all():
                # Whatever fails a public test has to lose a point.
                yield from (s for s in steps if s.test and not s.test.points)
            if fuzz and kept_all():
                yield Step(fuzz.id, test=fuzz)

        played.play(wanted())
        played.judge_beside()
        oracle = played.verdicts.pop(fuzz.id, None) if fuzz else None
        return {
            "verdicts": [asdict(verdict) for verdict in played.verdicts.values()],
            "oracle": asdict(oracle) if oracle else None,
            "notes": played.notes,
        }
