"""Packages that courses use do in the sandbox what they do in a kernel."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import replace

import pytest

from nbproctor.engine import Execution, Pool, Settings
from nbproctor.notebook import Cell, MasterNotebook
from nbproctor.results import StudentCell
from nbproctor.sandbox.policy import Policy
from tests.engine.packages import PACKAGES, REFUSED
from tests.judge.notebooks import cell

pytestmark = pytest.mark.slow
SETTINGS = Settings(policy=Policy(weak=True))
ANSWER = cell("answer", "solution", "")
AFTER = cell("after", "test", "assert answer == 1", 1.0)
INSTALLED = [name for name in PACKAGES if importlib.util.find_spec(name)]


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(1) as running:
        yield running


def complaint(pool: Pool, *opening: Cell, answer: str) -> str:
    """Run an answer in the sandbox; return why it does not end in True."""
    cells = (*opening, ANSWER, AFTER)
    master = MasterNotebook("packages", "packages", cells, (), None)
    modules = tuple(name for c in opening for name in c.source.split()[1:])
    sent = [StudentCell(n, c.id, c.source) for n, c in enumerate((*opening, ANSWER))]
    sent[-1] = replace(sent[-1], source=answer)
    execution = Execution(sent, replace(master, modules=modules), SETTINGS)
    report = pool.execute(execution).result()
    outputs = report.outputs[len(opening)]
    for output in outputs:
        if output["output_type"] == "error":
            return f"{output['ename']}: {output['evalue']}"
        if output["output_type"] == "execute_result":
            text = output["data"]["text/plain"]
            return "" if text in ("True", "np.True_") else text
    return f"no result; {report.notes}"


LOCKED = {
    "locked": True,
    "solution": False,
    "grade": False,
}


@pytest.mark.parametrize("is_provided", [False, True])
@pytest.mark.parametrize("package", INSTALLED)
def test_a_package_works_in_an_answer_and_where_a_notebook_begins_with_it(
    pool: Pool,
    package: str,
    is_provided: bool,
) -> None:
    opening = cell("opening", "provided", f"import {package}", nbgrader=LOCKED)
    message = complaint(
        pool, *([opening] if is_provided else []), answer=PACKAGES[package]
    )
    assert bool(message) == (package in REFUSED), message
