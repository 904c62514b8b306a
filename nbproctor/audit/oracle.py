"""Random inputs on which a right solution must agree with an independent oracle.

A teacher gives an oracle as a file of plain Python that reads like a test cell: it may
use the names of the notebook and the tools of its hidden tests. It defines

- ``inputs(rng)``: the arguments of one random example, as a tuple; `rng` is a
  `numpy.random.Generator`;
- ``oracle(*arguments)``: the right answer, found in another way than the reference;
- ``answer(*arguments)``: the solution's answer. It may be left out where the exercise
  is one function of the exercise's name.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from nbproctor.errors import NbproctorError
from nbproctor.expect import expect
from nbproctor.notebook import Cell

ROUNDS = 50
_NUMERIC = int, float, np.number, np.ndarray


class OracleError(NbproctorError):
    """The file is not an oracle; the message says why."""


def test_cell(exercise: str, text: str) -> Cell:
    """Make a test cell of an oracle, which parses, or raise an `OracleError`."""
    nodes = ast.parse(text).body
    defined = {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
    for name in ("inputs", "oracle"):
        if name not in defined:
            raise OracleError(f"does not define {name}()")
    answer = "answer" if "answer" in defined else exercise
    if not answer.isidentifier():
        raise OracleError(f"does not define answer(), and {exercise!r} is no function")
    source = (
        f"{text}\n\n"
        "from nbproctor.audit.oracle import disagreement as _disagreement\n"
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
            _compare(got, want, "the answer")
        except AssertionError as error:
            return f"with seed {seed}, {error}"
        except Exception as error:
            return f"with seed {seed}, it raises: {error!r:.200}"
    return None


def _compare(got: Any, want: Any, name: str) -> None:
    if isinstance(want, tuple | list) and isinstance(got, tuple | list):
        got, want = dict(enumerate(got)), dict(enumerate(want))
    if isinstance(want, Mapping):
        if not isinstance(got, Mapping) or got.keys() != want.keys():
            raise AssertionError(f"{name} should have the entries {list(want)}")
        for key, right in want.items():
            _compare(got[key], right, f"{name}[{key!r}]")
    elif isinstance(want, _NUMERIC) and not isinstance(want, bool):
        expect(got, want, name)
    elif got != want:
        raise AssertionError(f"{name} should be {want!r:.60}, not {got!r:.60}")
