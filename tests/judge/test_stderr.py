"""Text on stderr costs a test its points only where the course says so."""

from __future__ import annotations

import sys
import warnings
from typing import Any

import nbformat
import pytest
from nbgrader.utils import determine_grade

from nbproctor.notebook import Cell, Where
from nbproctor.results import Verdict
from tests.judge import notebooks
from tests.kernels import run_in_kernel

MARKS: dict[str, Any] = {
    "grade": False,
    "solution": True,
    "locked": False,
    "points": 0,
}
TEST = {
    "grade": True,
    "solution": False,
    "locked": True,
    "points": 2.0,
}
# An answer, a test, and what stock nbgrader gives.
CASES = {
    "the answer warns": (
        "import warnings\ndef f(x):\n    warnings.warn('soon')\n    return x",
        "assert f(1) == 1",
        0,
    ),
    "the answer prints there": (
        "import sys\ndef f(x):\n    print('hm', file=sys.stderr)\n    return x",
        "assert f(1) == 1",
        0,
    ),
    "the answer prints elsewhere": (
        "def f(x):\n    print('hm')\n    return x",
        "assert f(1) == 1",
        2,
    ),
    "the test warns": (
        "def f(x): return x",
        "import warnings\nwarnings.warn('soon')\nassert f(1) == 1",
        0,
    ),
    "the cell before it warns": (
        "import warnings\nwarnings.warn('soon')\ndef f(x): return x",
        "assert f(1) == 1",
        2,
    ),
    "the test hides the answer's warning": (
        "import warnings\ndef f(x):\n    warnings.warn('soon')\n    return x",
        "import warnings\nwith warnings.catch_warnings():\n"
        "    warnings.simplefilter('ignore')\n    assert f(1) == 1",
        2,
    ),
    "a warning and a number": (
        "import warnings\ndef f(x):\n    warnings.warn('soon')\n    return x",
        "f(1)",
        0,
    ),
}


@pytest.fixture(autouse=True)
def warnings_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Undo that pytest keeps warnings for itself."""

    def show(*warning: Any, **_: Any) -> None:
        sys.stderr.write(warnings.formatwarning(*warning[:4]))

    monkeypatch.setattr(warnings, "showwarning", show)
    warnings.simplefilter("default")
    # As Python does of itself: what another test file left open may be collected now.
    warnings.simplefilter("ignore", ResourceWarning)


def cells(where: Where) -> list[Cell]:
    """Return a notebook of all cases: an answer and its test, in turn."""
    cells = []
    for number, (answer, test, _) in enumerate(CASES.values()):
        name = f"answer{number}"
        solution = notebooks.cell(
            name, "solution", answer, exercise=name, nbgrader=MARKS
        )
        scored = notebooks.cell(
            f"test{number}",
            "test",
            test,
            points=2.0,
            exercise=name,
            nbgrader=TEST,
            where=where,
        )
        cells += [solution, scored]
    return cells


@pytest.fixture(scope="module")
def stock() -> list[float]:
    """What stock nbgrader gives."""
    book = nbformat.v4.new_notebook()
    for cell in cells("judge"):
        node = nbformat.v4.new_code_cell(cell.source)
        node.metadata["nbgrader"] = cell.nbgrader | {"grade_id": cell.id}
        book.cells.append(node)
    run_in_kernel(book, allow_errors=True)
    return [determine_grade(node)[0] for node in book.cells[1::2]]


def judged(where: Where, *, strict: bool) -> list[Verdict]:
    tested = cells(where)
    submitted = [(cell.id, cell.source) for cell in tested]
    return notebooks.judged(tested, *submitted, stderr_fails_tests=strict).verdicts


@pytest.mark.slow
@pytest.mark.parametrize("where", ["judge", "beside"])
def test_stderr_costs_what_the_course_says(where: Where, stock: list[float]) -> None:
    strict = judged(where, strict=True)
    free = judged(where, strict=False)
    for number, (case, (_, _, points)) in enumerate(CASES.items()):
        if "hides" in case and where == "judge":
            continue  # placement finds that it belongs beside the answer
        verdict = strict[number]
        assert verdict.points == points == stock[number], case
        if not points:
            assert "stderr" in verdict.message and verdict.outcome == "failed"
        assert free[number].points == (1 if case == "a warning and a number" else 2)
