"""Test cells that the judge cannot judge are found, listed, and never a silent 0."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nbproctor import nbgrader
from nbproctor.engine.cache import SOURCE_KEY
from nbproctor.judge.compiled import Tests
from nbproctor.nbgrader import placement, proof
from nbproctor.notebook import STUDENT_PROCESS_TAG, MasterNotebook
from nbproctor.results import Report, SubmissionResult
from tests.broken.cases import by_id
from tests.nbgrader.tiny import (
    HandIn,
    configure,
    graded,
    run_nbgrader,
    source_of,
    statuses,
    with_cells,
)

pytestmark = pytest.mark.slow
GRADED = proof.grade_answers
CAPTURES = """\
import io
from contextlib import redirect_stdout
### BEGIN HIDDEN TESTS
with redirect_stdout(io.StringIO()) as out:
    fizz(3)
assert out.getvalue() == "fizz\\n", "It prints fizz."
### END HIDDEN TESTS
"""
PRINTS = 'def fizz(n):\n    said = "fizz" if n % 3 == 0 else str(n)\n    print(said)\n'
RIGHT = PRINTS + "    return said"
SOLVED = f"### BEGIN SOLUTION\n{RIGHT}\n### END SOLUTION"
GRADES = {"right": ("graded", 10), "silent": ("graded", 8)}


@pytest.fixture
def capturing(course: Path, hand_in: HandIn) -> Path:
    """The tiny course, where one test captures what the answer prints."""
    with_cells(course, {"fizz-numbers": CAPTURES, "fizz": SOLVED})
    hand_in("right", fizz=RIGHT)
    hand_in("silent", fizz=RIGHT.replace("print(said)", "pass"))
    return course


def describe(course: Path) -> list[str]:
    return nbgrader.describe_placement(nbgrader.Course(course, "tiny").masters)


def notes(results: dict[str, SubmissionResult], student: str) -> dict[str, str]:
    verdicts = results[student].verdicts["tiny"]
    return {v.cell_id: v.where for v in verdicts if v.where != "judge"}


def test_a_cell_that_captures_output_is_judged_beside_the_answer_or_not_at_all(
    capturing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_nbgrader(capturing, "autograde", "tiny")
    log = (capturing / "autograded/grading.log").read_text()
    assert "run in the student's process" in log
    results = graded(capturing)
    assert statuses(results) == GRADES
    assert notes(results, "right") == {"fizz-numbers": "beside"}
    (description,) = describe(capturing)
    assert description.startswith("1 of 6 test cells are run in the student's process")
    assert "fizz-numbers" in description
    # A source is looked at again if it, or the code that placed it, is another.
    with monkeypatch.context() as other_code:
        other_code.setattr(placement, "versions", lambda: {SOURCE_KEY: "other"})
        assert describe(capturing) == []
    with_cells(capturing, {"fizz-numbers": CAPTURES.replace("It prints", "Print")})
    assert describe(capturing) == []
    # Trust can be forbidden; the cell is then no zero.
    configure(capturing, 'c.Nbproctor.trust = "judge"')
    result = graded(capturing)["right"]
    assert (result.status, result.score) == ("partial", None)
    assert "cannot run outside the student's process. Please tell" in result.reason


def test_each_test_cell_of_the_lab_stands_alone(lab_master: MasterNotebook) -> None:
    """That the judge judges it alone is looked at in tests/cli/test_documented.py."""
    assert not any(
        test.needs for test in Tests.from_cells(lab_master.cells).cells.values()
    )


ACCOUNT = """\
class Account:
    ### BEGIN SOLUTION
    def __init__(self, balance=0):
        self.balance = balance

    def deposit(self, amount):
        self.balance += amount
    ### END SOLUTION
"""
LOOKED_AT = """\
### BEGIN HIDDEN TESTS
import inspect
account = Account()
assert "balance=0" in inspect.getsource(Account.__init__)
### END HIDDEN TESTS
"""
USED = """\
### BEGIN HIDDEN TESTS
account.deposit(10)
assert account.balance == 10
### END HIDDEN TESTS
"""


HIDDEN_VALUE = """\
### BEGIN HIDDEN TESTS
third = fizz(3)
assert third == "fizz"
### END HIDDEN TESTS
"""
# An answer, two tests of which one moves, and what makes the answer wrong.
MOVING = {
    "its names are used": (
        f"{RIGHT}\n{ACCOUNT}",
        LOOKED_AT,
        USED,
        ("+=", "-="),
    ),
    "it needs a hidden value": (
        SOLVED,
        HIDDEN_VALUE,
        CAPTURES.replace('== "fizz', '== f"{third}'),
        ("print(said)", "pass"),
    ),
}


@pytest.mark.parametrize("reason", MOVING)
def test_a_test_moves_along_with_one_that_moves(
    course: Path, hand_in: HandIn, reason: str
) -> None:
    answer, first, second, mistake = MOVING[reason]
    cells = {"fizz": answer, "fizz-numbers": first, "fizz-multiples": second}
    with_cells(course, cells)
    assert nbgrader.lint(course, "tiny") == []
    assert nbgrader.differences(nbgrader.Course(course, "tiny")) == []
    hand_in("right", fizz=answer)
    hand_in("wrong", fizz=answer.replace(*mistake))
    results = graded(course)
    where = {"fizz-numbers": "beside", "fizz-multiples": "beside"}
    assert notes(results, "right") == where
    assert statuses(results) == {"right": ("graded", 10), "wrong": ("graded", 7)}


def test_an_answer_may_use_a_value_that_a_test_above_it_hides(
    course: Path, hand_in: HandIn
) -> None:
    mean = "def mean_of(numbers):\n    return third and sum(numbers) / len(numbers)"
    solved = f"### BEGIN SOLUTION\n{mean}\n### END SOLUTION"
    cells = {"mean_of": solved, "mean-values": "assert mean_of([1, 3]) == 2"}
    with_cells(course, cells | {"fizz-numbers": HIDDEN_VALUE})
    assert nbgrader.lint(course, "tiny") == []
    hand_in("right", mean_of=mean)
    results = graded(course)
    assert statuses(results) == {"right": ("graded", 10)}
    tests = ["fizz-numbers", "mean-public", "mean-values", "mean-input"]
    assert notes(results, "right") == dict.fromkeys(tests, "beside")


def test_a_mark_that_differs_from_a_kernel_s_is_named_whatever_the_cause(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def generous(*arguments: Any, **named: Any) -> Report:
        report = GRADED(*arguments, **named)
        verdicts = [replace(v, points=v.max_points) for v in report.verdicts]
        return replace(report, verdicts=verdicts)

    monkeypatch.setattr(proof, "grade_answers", generous)
    difference = nbgrader.differences(nbgrader.Course(course, "tiny"))
    line = "fizz-numbers: a blank notebook earns 2 of 2, but 0 in a kernel"
    assert line in difference


def test_a_course_that_needs_network_or_programs_hears_what_to_do(course: Path) -> None:
    fetches = 'import urllib.request\ntext = !echo "fizz"\ndef fizz(n): return text[0]'
    with_cells(course, {"fizz": f"### BEGIN SOLUTION\n{fetches}\n### END SOLUTION"})
    warnings = "\n".join(nbgrader.lint(course, "tiny"))
    assert "put c.Nbproctor.network = ['tiny'] into nbgrader_config.py." in warnings
    assert "In 'tiny', write these lines in Python, or grade them by hand." in warnings


def test_a_source_without_an_answer_says_so_and_blames_nobody(capturing: Path) -> None:
    course = capturing
    blank = "# Hint: https://docs.python.org\ndef fizz(n):\n    ..."
    with_cells(course, {"fizz": blank})
    faults = " ".join(nbgrader.lint(course, "tiny"))
    assert "fizz-numbers" in faults and "network" not in faults
    results = graded(course)
    (description,) = describe(course)
    assert "although it could not be checked" in description
    assert STUDENT_PROCESS_TAG in description
    assert statuses(results) == GRADES | {"right": ("partial", None)}
    assert "passes only in the student's process" in results["right"].reason
    # What to do, as it is told.
    # The sources of some courses have the earlier name.
    for tag in ("judge-beside", STUDENT_PROCESS_TAG):
        with source_of(course) as notebook:
            by_id(notebook, "fizz-numbers")["metadata"]["tags"] = [tag]
        assert statuses(graded(course)) == GRADES
        assert "fizz-numbers (the source says so)" in " ".join(describe(course))


def test_a_source_that_ends_its_kernel_hears_so(course: Path) -> None:
    with_cells(course, {"fizz": "import os\nos._exit(1)"})
    with pytest.raises(nbgrader.CourseError, match="notebook's code ended it"):
        nbgrader.lint(course, "tiny")
