"""The worker of `trials`: forks off every solution where its exercise begins.

It walks through the reference notebook. Before it runs the solution of an exercise, it
forks once for every solution on trial: so imports and data are loaded once, all other
exercises are right, and a solution that hangs or dies harms no other. The fork is a
student process as in grading, and its judge is the one of grading.

What is on trial was written by the teacher, so the sandbox is put on as far as this
computer has one; it keeps a mutant from writing where it should not.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from nbproctor import account, fuzzing, sandbox, student
from nbproctor.bundle import Bundle, Cell
from nbproctor.control import read_block, send
from nbproctor.plan import Step
from nbproctor.playthrough import Playthrough
from nbproctor.processor import stay_on
from nbproctor.program import Tests
from nbproctor.sandbox import Policy, SandboxError
from nbproctor.shell import warm
from nbproctor.trials import Outcome, Trial, TrialError
from nbproctor.verdicts import Job, Limits

# A solution may take so many times longer than the reference, but at least so long.
PATIENCE, LEAST_SECONDS = 10, 2.0


def main(descriptor: int) -> None:
    """Walk through the notebook that the parent sends, and tell it each outcome."""
    with socket.socket(fileno=descriptor) as parent:
        parent.set_inheritable(False)
        job = json.loads(read_block(parent))
        try:
            stay_on(job["processor"])
            _Worker(parent, job).walk()
        except TrialError as error:
            send(parent, {"error": str(error)})
        except Exception:
            send(parent, {"error": traceback.format_exc()})
        else:
            send(parent, {"end": 1})


@dataclass
class _Fork:
    """A student process that begins where the worker is in the notebook."""

    policy: Policy
    base: Path
    sock: socket.socket = field(init=False)
    pid: int = field(init=False)
    scratch: Path = field(init=False)

    def __post_init__(self) -> None:
        self.scratch = Path(tempfile.mkdtemp(dir=self.base))
        self.sock, theirs = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                self.sock.close()
                sandbox.enter(self.policy, self.scratch)
                student.main(theirs)
            finally:
                os._exit(1)  # whatever was raised: never back into the worker's loop
        theirs.close()

    def close(self) -> None:
        """End the process, whatever it is doing; return when it is gone."""
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.pid = 0
            self.sock.close()
            shutil.rmtree(self.scratch)


class _Worker:
    """Walks through the reference notebook, forking off the trials on its way."""

    def __init__(self, parent: socket.socket, job: dict[str, Any]) -> None:
        self.parent = parent
        self.bundle = Bundle.from_bytes(job["bundle"].encode())
        self.trials = [Trial(**fields) for fields in job["trials"]]
        policy = replace(Policy.from_json(job["policy"]), readable=(), weak=True)
        self.policy = replace(policy, uid=account.free_uid(policy, outer=False))
        self.fuzz = {
            exercise: fuzzing.test_cell(exercise, text)
            for exercise, text in job["oracles"].items()
        }
        self.cells = tuple(self._with_fuzzing())
        self.job = Job(self.cells, ())
        self.tests = Tests.of(self.cells)
        os.chdir(job["folder"])
        sys.path.insert(0, "")  # as in a notebook, for modules that lie beside it

    def _with_fuzzing(self) -> list[Cell]:
        """Put an exercise's fuzzing after its tests: it may use the same tools."""
        cells: list[Cell] = []
        for cell in self.bundle.cells:
            if cell.kind == "solution" and cells:
                cells += self._fuzzing_after(cells)
            cells.append(cell)
        return [*cells, *self._fuzzing_after(cells)]

    def _fuzzing_after(self, cells: list[Cell]) -> list[Cell]:
        exercise = next((c.exercise for c in reversed(cells) if c.exercise), None)
        return [self.fuzz[exercise]] if exercise in self.fuzz else []

    def walk(self) -> None:
        with contextlib.suppress(SandboxError):
            sandbox.prepare()  # before the shell refuses to start programs
        shell = warm()
        shell.take_over()
        with tempfile.TemporaryDirectory(prefix="nbproctor-") as name:
            base = Path(name)
            base.chmod(0o711)  # another user id passes through to its own folder
            for place, cell in enumerate(self.cells):
                if cell.kind == "solution":
                    # Old objects are not looked at again, so their pages stay shared.
                    gc.collect()
                    gc.freeze()
                    self._try_all(cell, self._steps_after(place), base)
                if cell.kind in ("provided", "solution") and not cell.skip:
                    for output in shell.run(cell.source, cell.id):
                        if output["output_type"] == "error":
                            raise TrialError(
                                f"the cell {cell.id} of the reference notebook fails: "
                                f"{output['ename']}: {output['evalue']}"
                            )

    def _steps_after(self, place: int) -> list[Step]:
        """Return what follows a solution cell, up to its last test."""
        steps: list[Step] = []
        last = 0
        for cell in self.cells[place + 1 :]:
            if cell.kind == "solution":
                break
            if cell.kind == "test" and cell not in self.fuzz.values():
                steps.append(Step(cell.id, test=cell))
                last = len(steps)
            elif cell.kind == "provided" and not cell.skip:
                steps.append(Step(cell.id, cell.source))
        return steps[:last]

    def _try_all(self, cell: Cell, steps: list[Step], base: Path) -> None:
        limits = Limits()
        for number, trial in enumerate(self.trials):
            if trial.exercise != cell.id:
                continue
            start = time.monotonic()
            outcome = self._try(trial, steps, limits, base)
            if trial.kind == "reference":
                taken = time.monotonic() - start
                seconds = round(LEAST_SECONDS + PATIENCE * taken, 1)
                limits = Limits(seconds, 2 * seconds, 4 * seconds)
            send(self.parent, asdict(outcome) | {"trial": number})

    def _try(
        self, trial: Trial, steps: list[Step], limits: Limits, base: Path
    ) -> Outcome:
        public = trial.kind != "mutant"
        fuzz = self.fuzz.get(trial.exercise)
        until = time.monotonic() + limits.submission
        played = Playthrough(
            replace(self.job, limits=limits),
            self.tests,
            lambda: _Fork(self.policy, base),
            until,
            max_stops=1,
        )

        def wanted() -> Iterator[Step]:
            yield Step(trial.exercise, trial.source, 0, exercise=trial.exercise)
            for step in steps:
                if step.test is None or public or step.test.points:
                    yield step
            if fuzz and all(v.outcome == "passed" for v in played.verdicts.values()):
                yield Step(fuzz.id, test=fuzz)

        played.play(wanted())
        fuzzed = played.verdicts.pop(fuzz.id, None) if fuzz else None
        return Outcome(
            trial,
            tuple(played.verdicts.values()),
            fuzzed is not None,
            fuzzed.message if fuzzed else "",
            tuple(played.notes),
        )
