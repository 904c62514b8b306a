"""What a specification has asked is answered once, whatever ends the process."""

from __future__ import annotations

from tests.judge.notebooks import cell, earned, judged

HELPER = """
import numpy as np
from nbproctor.expect import *
def judge(A, got): expect(got, A.sum(), "f(A)")
def judge_more(A, got): expect(got, A.sum(), "f(A)")
F = Specification(
    "f(A)", calls_to(lambda: f), np.sum, arguments=["A"],
    cases={
        "sizes": lambda: [(np.ones((2, 3)),)],
        "square": lambda: [(np.ones((2, 2)),)],
        "other": lambda: [(np.eye(3),)],
        "many": lambda: [(np.ones(beyond(3, 100)),)],
    },
    properties={
        "square": [Each("square", judge)],
        "ends": [Each("sizes", judge)],
        "many": [Each("many", judge)],
        "sizes": [Each("sizes", judge, "other")],
    },
)
"""
# It is right in equal sizes. In its second process it knows that it is one: the first
# question there is not of these. A wrong value would excuse what it raises.
ENDS = """
import os
first = []
def f(A):
    first.append(A.shape)
    if A.shape == (2, 3):
        if first[0] == (2, 2): os._exit(1)
        raise ValueError
    return A.sum() + (A.shape == (2, 2) and first[0] == (2, 3))
"""


def test_another_process_gives_no_other_answer() -> None:
    tests = [
        cell(name, "test", f'check(F, "{name}")', 1.0)
        for name in ("square", "ends", "sizes")
    ]
    solution = cell("f", "solution", "def f(A): return A.sum()", exercise="f", stub="")
    cells = cell("helper", "helper", HELPER), solution, *tests
    points = earned(judged(cells, ("f", solution.source)))
    assert points == [1, 1, 1]
    assert earned(judged(cells, ("f", ENDS))) == [1, 0, 0]


def test_what_differs_from_some_number_on_is_tried_there() -> None:
    solution = cell("f", "solution", "def f(A): return A.sum()", exercise="f", stub="")
    test = cell("many", "test", 'check(F, "many")', 1.0)
    cells = cell("helper", "helper", HELPER), solution, test
    answers = [solution.source, "def f(A): return A[:40].sum()"]
    reports = [judged(cells, ("f", answer)) for answer in answers]
    assert [report.verdicts[0].points for report in reports] == [1, 0]
