"""What a run through a notebook tells students of the tests that it judged."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from nbproctor.expect import measure
from nbproctor.judge.session import Session
from nbproctor.judge.testcell import MAX_PRINTED
from nbproctor.notebook import Cell
from nbproctor.results import Measure, Report
from tests.forked import spawn
from tests.judge import notebooks
from tests.judge.notebooks import cell

ANSWER = "def f(x):\n    print('in f')\n    return x"


def judged(*tests: Cell, answer: str = ANSWER, **options: Any) -> Report:
    cells = (cell("f", "solution", ANSWER), *tests)
    return notebooks.judged(cells, ("f", answer), **options)


def test_what_a_test_prints_is_told_of_public_ones_alone() -> None:
    prints = "print('checked')\nassert f(1) == 1"
    fails = prints + "\nassert f(2) == 3"
    runs_in_judge = "f = f\ndisplay('checked')\nprint('x' * 30_000)"
    report = judged(
        cell("public", "test", prints),
        cell("public-judge", "test", runs_in_judge),
        cell("public-fails", "test", fails),
        cell("hidden", "test", prints, 1.0),
        cell("hidden-fails", "test", fails, 1.0),
        cell("hidden-part", "test", prints + "\n0.5", 1.0),
    )
    printed = [verdict.printed for verdict in report.verdicts]
    assert ["checked" in text for text in printed] == [True] * 3 + [False] * 3
    assert max(map(len, printed)) == MAX_PRINTED
    outcomes = [verdict.outcome for verdict in report.verdicts]
    assert outcomes == ["passed", *["passed", "failed"] * 2, "failed"]


def test_a_public_test_draws_the_same_numbers_each_time() -> None:
    seeds_anew = "import random, numpy as np\nrandom.seed()\nnp.random.seed()"
    draws = cell("public", "test", "print(random.random(), np.random.rand())")
    first, second = (judged(draws, answer=seeds_anew).verdicts for _ in range(2))
    assert first == second


MEASURES = """
from nbproctor.expect import measure
measure("answer", f(3), "of three")
assert f(2) == 3
"""
FORGES = "import nbproctor.expect as e\ne.measures.measured = []\n"


@pytest.mark.parametrize("points", [0.0, 1.0])
def test_a_test_reports_what_it_measures_until_it_fails(points: float) -> None:
    forges = f"{FORGES}def f(x):\n    e.measure('answer', 9.0)\n    return x"
    measures = cell("measures", "test", MEASURES, points)
    report = judged(
        measures, replace(measures, id="beside", where="beside"), answer=forges
    )
    measured, in_process = report.verdicts
    assert (measured.outcome, measured.points) == ("failed", 0)
    assert measured.measures == (Measure("answer", 3.0, "of three"),)
    assert in_process.measures == ()  # there, an answer could say anything
    assert measured.outputs()[0]["text"] == "answer: 3, of three\n"


def test_what_is_no_number_or_picture_is_not_measured(
    capsys: pytest.CaptureFixture[str],
) -> None:
    measure("in a kernel", 2)
    measure("words", 375, "in a minute", of=500)
    assert capsys.readouterr().out == "in a kernel: 2\nwords: 375 of 500, in a minute\n"
    assert Measure("words", 375.0, of=500).amount == "375 of 500 (75 %)"
    with pytest.raises(ValueError, match="measures loss as nan"):
        measure("loss", math.nan)
    for pictures in [("too large", np.zeros((1, 129)))], [("small", [[0]])] * 7:
        with pytest.raises(ValueError, match="The test"):
            measure("read", 1, pictures=pictures)


BRANCHING = """\

def f(x):
    if x > 100:
        return 0
    elif x > 10:
        x += 0
    for _ in range(x - 50):
        x -= 0
    try:
        x + 0
    except TypeError:
        raise
    return x
def unused(x):
    if x: return 1
"""
BRANCHES = ["`f`, line 4: `return 0`", "`f`, line 6: `x += 0`", "`f`, line 8: `x -= 0`"]


@pytest.mark.parametrize(
    ("value", "untried"), [(1, BRANCHES), (11, [BRANCHES[0], BRANCHES[2]]), (101, [])]
)
def test_a_branch_that_no_test_has_entered_is_named(
    value: int, untried: list[str]
) -> None:
    """If its answer has all points; what only raises, or was never called, is not.

    Python tells it from 3.12 on.
    """
    if sys.version_info < (3, 12):
        untried = []
    calls = [f"f({n})" for n in (1, 11, 101) if n <= value]
    tests = [cell(call, "test", call, 1.0) for call in calls]
    assert judged(*tests, answer=BRANCHING).untried == untried
    fails = cell("fails", "test", "assert f(1) == 2", 1.0)
    assert judged(*tests, fails, answer=BRANCHING).untried == []


DIES = "def f(x): __import__('os')._exit(0)"


def test_a_student_process_is_asked_the_same_whether_a_test_passes_or_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def noted(session: Session, request: str, *arguments: Any, **options: Any) -> Any:
        requests.append(request)
        return ask(session, request, *arguments, **options)

    ask = Session.ask
    monkeypatch.setattr(Session, "ask", noted)
    requests: list[str] = []
    requests_by_outcome = {}
    for outcome, right in {"passed": 1, "failed": 2}.items():
        requests.clear()
        test = cell("f_1", "test", f"assert f() == {right}", 1.0)
        assert judged(test, answer="f = lambda: 1").verdicts[0].outcome == outcome
        requests_by_outcome[outcome] = [*requests]
    assert requests_by_outcome["passed"] == requests_by_outcome["failed"]


def test_a_process_that_cannot_be_started_is_no_verdict() -> None:
    started = []

    def fail_later() -> Any:
        started.append(1)
        if len(started) > 1:
            raise OSError("no process left")
        return spawn()

    tests = [cell(f"t{number}", "test", "f(1)", 1.0) for number in range(2)]
    with pytest.raises(OSError, match="no process left"):
        judged(*tests, answer=DIES, start=fail_later)


def test_a_notebook_ends_only_so_many_processes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("nbproctor.judge.processes.MAX_SPAWNS", 1)
    calls = "assert f", "f(1)", "assert f"
    tests = [cell(f"t{n}", "test", call, 1.0) for n, call in enumerate(calls)]
    report = judged(*tests, answer=DIES)
    assert [v.outcome for v in report.verdicts] == ["passed", "died", "died"]


def test_what_a_test_draws_does_not_depend_on_the_tests_before_it() -> None:
    draws = cell(
        "draws",
        "test",
        "import numpy as np\nassert f(1) == 2, str(np.random.rand())",
        1.0,
    )
    drawn = set()
    for count in (1, 5):
        text = f"import numpy as np\nnp.random.rand({count})"
        drawn.add(judged(cell("before", "test", text, 1.0), draws).verdicts[1].message)
    (number,) = drawn
    assert float(number) > 0


def test_outputs_beyond_what_is_kept_are_left_out_and_those_before_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("nbproctor.judge.processes.MAX_OUTPUT_BYTES", 2000)
    report = notebooks.judged(
        [],
        ("a", "print('first')"),
        ("b", "print('x' * 3000)"),
        ("c", "print('last')"),
    )
    assert report.outputs[0][0]["text"] == "first\n"
    for index in (1, 2):
        (output,) = report.outputs[index]
        assert output["name"] == "stderr"
        assert "outputs left out" in output["text"]


def test_a_cell_that_ends_its_process_shows_so_and_the_next_one_runs() -> None:
    report = notebooks.judged([], ("a", "import os; os._exit(1)"), ("b", "print(1)"))
    ((ended,), (printed,)) = report.outputs.values()
    assert (ended["ename"], printed["text"]) == ("CellStopped", "1\n")
