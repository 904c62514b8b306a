"""A test earns what stock nbgrader gives for what it shows and ends in.

Text on stderr costs its points only where the course says so.
"""

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

# Answers, their tests, and what stock nbgrader gives: points, and our outcome.
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
f(1)
--- ends solution
def ends(x): return x
--- ends_nothing test 2: 2 passed
assert ends(1)
--- ends_prints test 2: 2 passed
print(ends(1))
--- ends_shows test 2: 2 passed
display(ends(1))
--- ends_text test 2: 2 passed
'well done'
--- ends_most test 2: 2 passed
2.0
--- ends_part test 2: 1.5 failed
1.5
--- ends_prints_part test 2: 0.5 failed
print(1)
0.5
--- ends_zero test 2: 0 failed
0
--- ends_assertion test 2: 0 failed
assert ends(0)
--- ends_error test 2: 0
print(1)
ends(1) / 0"""


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
        node.metadata["nbgrader"] = {"grade": True, "solution": False, "points": 2}
        book.cells.append(node)
    run_in_kernel(book, allow_errors=True)
    tests = [node for node in book.cells if node.id in case.results]
    return {test.id: determine_grade(test)[0] for test in tests}


def verdicts(where: str, *, strict: bool) -> list[Verdict]:
    case = Case.read(NOTEBOOK.replace(" test 2", f" {where} 2"))
    submitted = case.submitted.items()
    return judged(case.cells, *submitted, stderr_fails_tests=strict).verdicts


@pytest.mark.slow
@pytest.mark.parametrize("where", ["test", "beside"])
def test_it_earns_what_stock_nbgrader_gives(
    where: str, stock: dict[str, float]
) -> None:
    expected = Case.read(NOTEBOOK).results
    strict = verdicts(where, strict=True)
    free = verdicts(where, strict=False)
    for one, other in zip(strict, free, strict=True):
        name = one.cell_id
        if name == "hidden_1" and where == "test":
            continue  # placement finds that it belongs beside the answer
        points, *outcome = expected[name].split()
        assert one.points == stock[name] == float(points), name
        if "stderr" in one.message:
            assert one.outcome == "failed"
            assert other.points == (1 if name == "number_1" else 2)
        else:
            assert other == one
            assert outcome in ([], [one.outcome])
