"""Trials: solutions of single exercises are executed, a thousand in half a minute.

The trials are shared among a few processes: see `worker`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import msgspec

from nbproctor.errors import NbproctorError
from nbproctor.notebook import Cell, MasterNotebook
from nbproctor.results import Verdict
from nbproctor.sandbox.fork import receive, write_block
from nbproctor.sandbox.forkserver import ONE_THREAD, PythonProcess, python_command
from nbproctor.sandbox.policy import Policy
from nbproctor.sandbox.processors import Processor, processors

Kind = Literal["reference", "right", "wrong", "mutant"]


class TrialError(NbproctorError):
    """No trial can be held; the message says what is wrong with the notebook."""


@dataclass(frozen=True)
class Trial:
    """A solution of one exercise; `name` tells it from others of its kind.

    Of a wrong one, a message must hold one of `says`, or it is known that none names
    its symptom; the words `announced` of comments tell what no public test does.
    """

    exercise: str
    kind: Kind
    name: str
    source: str
    place: str = ""
    diff: str = ""
    says: tuple[str, ...] = ()
    unnamed: bool = False
    announced: str = ""
    equivalent: str = ""


@dataclass(frozen=True)
class TrialResult:
    """How a trial ended.

    `verdicts` are those of all tests of the exercise, of a mutant only of graded ones
    where one of these catches it. Where it passed them all and was then `fuzzed`,
    `disagreement` says where it differs from the oracle. `notes` tell of processes that
    hung or died.
    """

    trial: Trial
    verdicts: tuple[Verdict, ...]
    fuzzed: bool = False
    disagreement: str = ""
    notes: tuple[str, ...] = ()

    @property
    def lost(self) -> float:
        """Points lost."""
        return sum(v.max_points - v.points for v in self.verdicts)

    @property
    def failed(self) -> tuple[Verdict, ...]:
        """Verdicts of the tests that it did not pass."""
        return tuple(v for v in self.verdicts if v.outcome != "passed")


def hold(
    master: MasterNotebook,
    folder: Path,
    trials: Sequence[Trial],
    oracles: Mapping[str, Cell],
    policy: Policy,
    progress: Callable[[TrialResult], object],
) -> list[TrialResult]:
    """Hold all trials of a notebook; those of its reference solutions come first.

    The code runs in `folder`, in a process a processor; trials of exercises that the
    notebook lacks are left out. `oracles` has the test cell of an exercise's oracle,
    `policy` is what the forks may use and read. A `TrialError` says that a cell of the
    reference notebook fails, or that a worker has died.
    """
    workers = processors()
    references = [
        Trial(cell.id, "reference", "reference", cell.source)
        for cell in master.of_kind("solution")
    ]
    # Each worker needs the time of every reference, so it tries them all.
    shares = [[*references, *trials[n::workers]] for n in range(workers)]
    job = dict(master=master, oracles=oracles, policy=policy, folder=str(folder))
    with ThreadPoolExecutor(workers) as threads:
        done = list(threads.map(lambda share: _share(job, share, progress), shares))
    results = {result.trial: result for share in done for result in share}
    return [results[trial] for trial in [*references, *trials] if trial in results]


def _share(
    job: dict[str, Any], share: list[Trial], progress: Callable[[TrialResult], object]
) -> list[TrialResult]:
    """Let one worker hold its share of the trials."""
    results: list[TrialResult] = []
    command = partial(python_command, "nbproctor.audit.worker")
    variables = dict.fromkeys(ONE_THREAD, "1") | {"PYTHONHASHSEED": "0"}
    process = PythonProcess(command, os.environ | variables)
    try:
        with Processor() as processor:
            message = job | {"trials": share, "processor": processor.number}
            write_block(process.sock, msgspec.json.encode(message))
            while "end" not in (answer := receive(process.sock)[0]):
                if "error" in answer:
                    raise TrialError(answer["error"])
                answer["trial"] = share[answer["trial"]]
                results.append(msgspec.convert(answer, TrialResult))
                progress(results[-1])
    except (EOFError, ConnectionError) as error:
        said = process.printed(1000)
        raise TrialError(
            f"a process that held trials has died: {said or 'no message'}"
        ) from error
    finally:
        process.end(patience=0)
    return results
