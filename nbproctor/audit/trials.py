"""Trials: solutions of single exercises are executed, a thousand in half a minute.

The trials are shared among a few processes: see `worker`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from nbproctor.audit.variants import Trial
from nbproctor.engine import Settings
from nbproctor.errors import NbproctorError
from nbproctor.notebook import Cell, MasterNotebook
from nbproctor.results import Verdict
from nbproctor.sandbox.fork import receive, write_block
from nbproctor.sandbox.forkserver import ONE_THREAD, PythonProcess, python_command
from nbproctor.sandbox.processors import Processor, processors

# Trial → verdicts of its tests; of the oracle, if it was asked; notes of processes that
# hung or died.
Results = dict[Trial, tuple[list[Verdict], Verdict | None, tuple[str, ...]]]


class TrialError(NbproctorError):
    """No trial can be held; the message says what is wrong with the notebook."""


def hold(
    master: MasterNotebook,
    folder: Path,
    trials: Sequence[Trial],
    oracles: Mapping[str, Cell],
    settings: Settings,
    progress: Callable[[Trial], object],
) -> Results:
    """Hold the trials of a notebook; those of its reference solutions come first.

    The code runs in `folder`, in a process a processor; trials of exercises that the
    notebook lacks are left out. `oracles` has the test cell of an exercise's oracle;
    `settings` are those of the forks. A `TrialError` says that a cell of the reference
    notebook fails, or that a worker has died.
    """
    mine = [trial for trial in trials if trial.exercise in master.exercises]
    references = [trial for trial in mine if trial.kind == "reference"]
    others = [trial for trial in mine if trial.kind != "reference"]
    workers = processors()
    # Each worker needs the time of every reference, so it tries them all.
    shares = [[*references, *others[n::workers]] for n in range(workers)]
    job = dict(
        master=master,
        oracles=oracles,
        policy=settings.policy,
        folder=str(folder),
        limits=settings.limits,
        stderr_fails_tests=settings.stderr_fails_tests,
    )
    with ThreadPoolExecutor(workers) as threads:
        done = list(threads.map(lambda share: _share(job, share, progress), shares))
    results = {trial: result for share in done for trial, result in share.items()}
    return {trial: results[trial] for trial in [*references, *others]}


def _share(
    job: dict[str, Any], share: list[Trial], progress: Callable[[Trial], object]
) -> Results:
    """Let one worker hold its share of the trials."""
    results: Results = {}
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
                trial = share[answer["trial"]]
                verdicts = msgspec.convert(answer["verdicts"], list[Verdict])
                oracle = msgspec.convert(answer["oracle"], Verdict | None)
                results[trial] = verdicts, oracle, tuple(answer["notes"])
                progress(trial)
    except (EOFError, ConnectionError) as error:
        said = process.printed(1000)
        raise TrialError(
            f"a process that held trials has died: {said or 'no message'}"
        ) from error
    finally:
        process.end(patience=0)
    return results
