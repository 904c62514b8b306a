"""Trials: solutions of single exercises are executed, a thousand in half a minute.

The trials are shared among a few processes: see `worker`. A solution that passes all
tests is then compared, on random inputs, with the oracle of its exercise: a file of
plain Python that reads like a test cell, and may use what test cells may. It defines

- ``inputs(rng)``: the arguments of one random example, as a tuple; `rng` is a
  `numpy.random.Generator`;
- ``oracle(*arguments)``: the right answer, found in another way than the reference;
- ``answer(*arguments)``: the solution's answer. It may be left out where the exercise
  is one function of the exercise's name.
"""

from __future__ import annotations

import ast
import copy
import json
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np

from nbproctor.errors import NbproctorError
from nbproctor.expect import expect
from nbproctor.notebook import Cell, MasterNotebook
from nbproctor.results import Verdict
from nbproctor.sandbox.fork import receive, write_block
from nbproctor.sandbox.forkserver import ONE_THREAD, PythonProcess, python_command
from nbproctor.sandbox.policy import Policy
from nbproctor.sandbox.processors import Processor

Kind = Literal["reference", "right", "wrong", "mutant"]
ROUNDS = 50
_NUMERIC = int, float, np.number, np.ndarray


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
    where one of these catches it.
    Where it passed them all and was then `fuzzed`, `disagreement` says where it differs
    from the oracle. `notes` tell of processes that hung or died.
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
    oracles: Mapping[str, str],
    policy: Policy,
    workers: int,
    progress: Callable[[TrialResult], object] = lambda result: None,
) -> list[TrialResult]:
    """Hold all trials of a notebook; those of its reference solutions come first.

    The code runs in `folder`, in as many processes as there are `workers`; trials of
    exercises that the notebook lacks are left out. `oracles` has the text of an
    exercise's oracle, `policy` is what the forks may use and read. A `TrialError` says
    that a cell of the reference notebook fails, or that a worker has died.
    """
    references = [
        Trial(cell.id, "reference", "reference", cell.source)
        for cell in master.of_kind("solution")
    ]
    # Each worker needs the time of every reference, so it tries them all.
    shares = [[*references, *trials[n::workers]] for n in range(workers)]
    job = {
        "master": msgspec.to_builtins(master),
        "folder": str(folder),
        "oracles": dict(oracles),
        "policy": msgspec.to_builtins(policy),
    }
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
            trials = [asdict(trial) for trial in share]
            message = job | {"trials": trials, "processor": processor.number}
            write_block(process.sock, json.dumps(message).encode())
            while "end" not in (answer := receive(process.sock)[0]):
                if "error" in answer:
                    raise TrialError(answer["error"])
                fields = answer | {"trial": share[answer["trial"]]}
                fields["verdicts"] = tuple(Verdict(**v) for v in answer["verdicts"])
                fields["notes"] = tuple(answer["notes"])
                results.append(TrialResult(**fields))
                progress(results[-1])
    except (EOFError, ConnectionError) as error:
        said = process.printed(1000)
        raise TrialError(
            f"a process that held trials has died: {said or 'no message'}"
        ) from error
    finally:
        process.end(patience=0)
    return results


class OracleError(NbproctorError):
    """The file is not an oracle; the message says why."""


def oracle_cell(exercise: str, text: str) -> Cell:
    """Make a test cell of an oracle, or raise an `OracleError`."""
    try:
        nodes = ast.parse(text).body
    except (SyntaxError, ValueError) as error:
        raise OracleError(f"does not parse: {error}") from error
    defined = {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
    for name in ("inputs", "oracle"):
        if name not in defined:
            raise OracleError(f"does not define {name}()")
    answer = "answer" if "answer" in defined else exercise
    if not answer.isidentifier():
        raise OracleError(f"does not define answer(), and {exercise!r} is no function")
    source = (
        f"{text}\n\n"
        "from nbproctor.audit.trials import disagreement as _disagreement\n"
        f"_found = _disagreement(inputs, oracle, {answer})\n"
        "assert _found is None, _found\n"
    )
    return Cell(f"{exercise}: oracle", "test", source, 1, exercise, False, "", "", {})


def disagreement(
    inputs: Callable[[np.random.Generator], Any],
    oracle: Callable[..., Any],
    answer: Callable[..., Any],
) -> str | None:
    """Compare answers on random inputs; return the first difference in words."""
    for seed in range(ROUNDS):
        try:
            made = inputs(np.random.default_rng(seed))
            arguments = made if isinstance(made, tuple) else (made,)
            want = oracle(*copy.deepcopy(arguments))
        except Exception as error:
            return f"with seed {seed}, the oracle itself raises: {error!r:.200}"
        try:
            got = answer(*copy.deepcopy(arguments))
            _agree(got, want, "the answer")
        except AssertionError as error:
            return f"with seed {seed}, {error}"
        except Exception as error:
            return f"with seed {seed}, it raises: {error!r:.200}"
    return None


def _agree(got: Any, want: Any, name: str) -> None:
    if isinstance(want, tuple | list):
        if not isinstance(got, tuple | list) or len(got) != len(want):
            raise AssertionError(f"{name} should be {len(want)} values, not {got!r}")
        for place, (one, right) in enumerate(zip(got, want, strict=True)):
            _agree(one, right, f"{name}[{place}]")
    elif isinstance(want, _NUMERIC) and not isinstance(want, bool):
        expect(got, want, name)
    elif isinstance(want, Mapping):
        if not isinstance(got, Mapping) or got.keys() != want.keys():
            raise AssertionError(f"{name} should have the keys {list(want)}")
        for key, right in want.items():
            _agree(got[key], right, f"{name}[{key!r}]")
    elif got != want:
        raise AssertionError(f"{name} should be {want!r:.60}, not {got!r:.60}")
