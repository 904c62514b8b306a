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


def cells(
    answer: str,
    test: str,
    where: Where = "judge",
) -> tuple[Cell, ...]:
    return (
        notebooks.cell("answer", "solution", answer, nbgrader=MARKS),
        notebooks.cell("test", "test", test, 2.0, nbgrader=TEST, where=where),
    )


def judged(
    answer: str,
    test: str,
    where: Where,
    *,
    strict: bool,
) -> Verdict:
    report = notebooks.judged(
        cells(answer, test, where), ("answer", answer), stderr_fails_tests=strict
    )
    return report.verdicts[0]


@pytest.fixture(scope="module")
def stock() -> dict[str, float]:
    """What stock nbgrader gives, all of it in one kernel."""
    book = nbformat.v4.new_notebook()
    for answer, test, _ in CASES.values():
        for cell in cells(answer, test):
            node = nbformat.v4.new_code_cell(cell.source)
            node.metadata["nbgrader"] = cell.nbgrader | {"grade_id": cell.id}
            book.cells.append(node)
    run_in_kernel(book, allow_errors=True)
    tests = map(determine_grade, book.cells[1::2])
    return {case: points for case, (points, _) in zip(CASES, tests, strict=True)}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("case", "where"),
    [
        (case, where)
        for case in CASES
        for where in ("judge", "beside")
        if "hides" not in case or where == "beside"  # as placement finds
    ],
)
def test_stderr_costs_what_the_course_says(
    case: str,
    where: Where,
    stock: dict[str, float],
) -> None:
    answer, test, points = CASES[case]
    verdict = judged(answer, test, where, strict=True)
    assert verdict.points == points == stock[case]
    if not points:
        assert "stderr" in verdict.message and verdict.outcome == "failed"
    free = judged(answer, test, where, strict=False)
    assert free.points == (1 if case == "a warning and a number" else 2)
