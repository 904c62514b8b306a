"""Test cells share a notebook, as in a kernel, and each can still be judged alone."""

from __future__ import annotations

import pytest

from nbproctor.results import Verdict
from tests.judge.notebooks import Case

pytestmark = pytest.mark.slow


NOTEBOOK = """shared
--- p provided
import math
--- a solution
def f(x): return x + 1
--- a_1 test 1
import numpy as np
from numpy.testing import assert_equal
def check(x, y):
    assert step(x) == y
step = f
data = [1, 2]
kept = f
### BEGIN HIDDEN TESTS
def secret(): return 1
### END HIDDEN TESTS
assert f(1) == 2
--- b solution
def g(x): return np.sqrt(x)
def step(x): return 9 * x
--- b_1 test 1
assert_equal(g(4), 2)
check(2, 18)
data.append(kept(3))
assert data == [1, 2, 4]
--- b_2 test 1
assert math.pi > 3 and g(9) == 3
--- c solution
def h(x): return check and x
--- c_1 test 1
assert h(3) == 3"""
REFERENCE = dict.fromkeys(("a_1", "b_1", "b_2", "c_1"), 1)
STEP = "def step(x): return 9 * x"


def judged(
    notebook: str = NOTEBOOK,
    *,
    follow_through: bool = True,
    **answers: str,
) -> dict[str, Verdict]:
    case = Case.read(notebook)
    case.submitted |= answers
    report = case.judge(follow_through=follow_through)
    return {verdict.cell_id: verdict for verdict in report.verdicts}


def earned(verdicts: dict[str, Verdict]) -> dict[str, float]:
    return {name: verdict.points for name, verdict in verdicts.items()}


def test_the_reference_earns_everything() -> None:
    assert earned(judged()) == REFERENCE


@pytest.mark.parametrize(
    "answer", ["def f(x): return x", "def f(x):\n while True: pass"], ids=str
)
def test_a_test_that_fails_leaves_what_it_made(answer: str) -> None:
    # `kept(3)` of the wrong answer costs b_1; its imports and functions are there.
    verdicts = judged(follow_through=False, a=answer)
    assert earned(verdicts) == {
        "a_1": 0,
        "b_1": 0,
        "b_2": 1,
        "c_1": 1,
    }
    assert "assert_equal" not in verdicts["b_1"].message


def test_an_exercise_is_judged_again_with_what_it_needs_of_earlier_tests() -> None:
    # The hidden test of b calls a function of a's test, which calls b's own answer.
    verdicts = judged(a="1/0", b="def g(x): return np.sqrt(x) * (f(1) - 1)\n" + STEP)
    assert earned(verdicts) == {
        "a_1": 0,
        "b_1": 1,
        "b_2": 1,
        "c_1": 1,
    }
    assert verdicts["b_1"].source == "follow-through"
    assert judged(b="1/0")["b_1"].points == 0


def test_students_get_what_they_see_of_a_test_and_nothing_hidden() -> None:
    spies = "def h(x): return x if 'secret' not in globals() and check else -1"
    assert judged(c=spies)["c_1"].points == 1


def test_a_student_s_name_does_not_replace_a_test_s() -> None:
    cheat = "def g(x): return 0\ndef step(x): return 9 * x\n"
    cheat += "def assert_equal(*args): pass\ndef check(*args): pass\n"
    assert judged(b=cheat)["b_1"].points == 0


def test_a_test_may_need_one_that_is_judged_in_the_student_s_process() -> None:
    notebook = NOTEBOOK.replace("a_1 test", "a_1 beside")
    values = "data.append(kept(3))\nassert data == [1, 2, 4]"
    verdicts = judged(notebook.replace(values, "secret()"))
    assert earned(verdicts) == REFERENCE
    places = [verdict.where for verdict in verdicts.values()]
    assert places == ["beside", "judge", "judge", "judge"]
