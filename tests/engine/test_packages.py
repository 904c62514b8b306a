"""Packages that courses use do in the sandbox what they do in a kernel."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest

from nbproctor.engine import Execution, Pool, Settings
from nbproctor.notebook import MasterNotebook
from nbproctor.sandbox.policy import Policy
from tests.engine.packages import PACKAGES, REFUSED
from tests.judge.notebooks import cell
from tests.notebooks import LOCKED, student_cells
from tests.timing import limits

pytestmark = pytest.mark.slow
INSTALLED = [name for name in PACKAGES if importlib.util.find_spec(name)]


def describe_failure(outputs: list[dict[str, Any]]) -> str:
    """Return why a cell does not end in True, or nothing."""
    for output in outputs:
        if output["output_type"] == "error":
            return f"{output['ename']}: {output['evalue']}"
        if output["output_type"] == "execute_result":
            text: str = output["data"]["text/plain"]
            return "" if text in ("True", "np.True_") else text
    return "no result"


@pytest.fixture(scope="module", params=[False, True], ids=["answer", "opening"])
def failures(request: pytest.FixtureRequest) -> dict[str, str]:
    """Run all examples in one notebook, which may begin with all that they import."""
    working = [name for name in INSTALLED if name not in REFUSED]
    modules = working if request.param else []
    opening = [
        cell(f"import_{name}", "provided", f"import {name}", nbgrader=LOCKED)
        for name in modules
    ]
    # Those that are refused come last: they may end the process.
    names = sorted(INSTALLED, key=REFUSED.__contains__)
    answers = [cell(name, "solution", PACKAGES[name], stub="") for name in names]
    cells = tuple(opening + answers)
    master = MasterNotebook("packages", "packages", cells, tuple(modules), None)
    submitted = student_cells((c.id, c.source) for c in cells)
    settings = Settings(limits(10, 60, 300), Policy(weak=True))
    with Pool(1) as pool:
        report = pool.execute(Execution(submitted, master, settings)).result()
    return {
        str(each.id): describe_failure(report.outputs[each.index])
        for each in submitted[len(opening) :]
    }


@pytest.mark.parametrize("package", INSTALLED)
def test_a_package_works_in_an_answer_and_where_a_notebook_begins_with_it(
    failures: dict[str, str], package: str
) -> None:
    assert bool(failures[package]) == (package in REFUSED), failures[package]
