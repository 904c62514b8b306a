"""Text on stderr costs a test its points only where the course says so."""

from __future__ import annotations

import sys
import warnings
from typing import Any

import nbformat
import pytest
from nbgrader.utils import determine_grade

from nbproctor.results import Verdict
from tests.judge.notebooks import Case, judged
from tests.kernels import run_in_kernel

# Answers, their tests, and what stock nbgrader gives.
NOTEBOOK = """stderr
--- warns solution
import warnings
def f(x):
    warnings.warn('soon')
    return x
--- warns_1 test 2: 0
assert f(1) == 1
--- prints solution
import sys
def f(x):
    print('hm', file=sys.stderr)
    return x
--- prints_1 test 2: 0
assert f(1) == 1
--- elsewhere solution
def f(x):
    print('hm')
    return x
--- elsewhere_1 test 2: 2
assert f(1) == 1
--- test solution
def f(x): return x
--- test_warns test 2: 0
import warnings
warnings.warn('soon')
assert f(1) == 1
--- before solution
import warnings
warnings.warn('soon')
def f(x): return x
--- before_1 test 2: 2
assert f(1) == 1
--- hidden solution
import warnings
def f(x):
    warnings.warn('soon')
    return x
--- hidden_1 test 2: 2
import warnings
with warnings.catch_warnings():
    warnings.simplefilter('ignore')
    assert f(1) == 1
--- number solution
import warnings
def f(x):
    warnings.warn('soon')
    return x
--- number_1 test 2: 0
f(1)"""


@pytest.fixture(autouse=True)
def warnings_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Undo that pytest keeps warnings for itself."""

    def show(*warning: Any, **_: Any) -> None:
        sys.stderr.write(warnings.formatwarning(*warning[:4]))

    monkeypatch.setattr(warnings, "showwarning", show)
    warnings.simplefilter("default")
    # As Python does of itself: what another test file left open may be collected now.
    warnings.simplefilter("ignore", ResourceWarning)


@pytest.fixture(scope="module")
def stock() -> dict[str, float]:
    """What stock nbgrader gives."""
    case = Case.read(NOTEBOOK)
    book = nbformat.v4.new_notebook()
    for cell in case.cells:
        node = nbformat.v4.new_code_cell(cell.source, id=cell.id)
        marks = {"grade": True, "solution": False, "points": 2}
        node.metadata["nbgrader"] = marks
        book.cells.append(node)
    run_in_kernel(book, allow_errors=True)
    return {node.id: determine_grade(node)[0] for node in book.cells[1::2]}


def verdicts(where: str, *, strict: bool) -> list[Verdict]:
    case = Case.read(NOTEBOOK.replace(" test 2", f" {where} 2"))
    submitted = case.submitted.items()
    return judged(case.cells, *submitted, stderr_fails_tests=strict).verdicts


@pytest.mark.slow
@pytest.mark.parametrize("where", ["test", "beside"])
def test_stderr_costs_what_the_course_says(where: str, stock: dict[str, float]) -> None:
    expected = Case.read(NOTEBOOK).results
    strict = verdicts(where, strict=True)
    free = verdicts(where, strict=False)
    for one, other in zip(strict, free, strict=True):
        name = one.cell_id
        if name == "hidden_1" and where == "test":
            continue  # placement finds that it belongs beside the answer
        assert one.points == stock[name] == float(expected[name]), name
        if not one.points:
            assert "stderr" in one.message and one.outcome == "failed"
        assert other.points == (1 if name == "number_1" else 2)
