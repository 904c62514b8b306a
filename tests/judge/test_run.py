"""What a run through a notebook tells students of the tests that it judged."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from nbproctor.expect import measure
from nbproctor.notebook import Cell
from nbproctor.results import Limits, Measure, Report
from tests.judge import notebooks
from tests.judge.notebooks import LIMITS, cell

ANSWER = "def f(x):\n    print('in f')\n    return x"


def judged(*tests: Cell, answer: str = ANSWER, limits: Limits = LIMITS) -> Report:
    cells = (cell("f", "solution", ANSWER), *tests)
    return notebooks.judged(cells, ("f", answer), limits=limits)


def test_a_part_of_the_points_is_told_as_a_short_number() -> None:
    thirds = cell("thirds", "test", "f(1) / 3", 2.0)
    whole = cell("whole", "test", "f(1)", 2.0)
    told = [(v.points, v.outcome, v.message) for v in judged(thirds, whole).verdicts]
    assert told == [
        (1 / 3, "failed", "Partly right: 0.333333 of 2 points."),
        (1, "failed", "Partly right: 1 of 2 points."),
    ]


def test_what_a_test_prints_is_told_of_public_ones_alone() -> None:
    prints = "print('checked')\nassert f(1) == 1"
    fails = prints + "\nassert f(2) == 3"
    report = judged(
        cell("public", "test", prints),
        cell("public-fails", "test", fails),
        cell("hidden", "test", prints, 1.0),
        cell("hidden-fails", "test", fails, 1.0),
        cell("hidden-part", "test", prints + "\n0.5", 1.0),
    )
    printed = [verdict.printed for verdict in report.verdicts]
    assert ["checked" in text for text in printed] == [True, True, False, False, False]
    assert [v.outcome for v in report.verdicts] == ["passed", "failed"] * 2 + ["failed"]


MEASURES = """
from nbproctor.expect import measure
measure("answer", f(3), "of three")
assert f(2) == 3
"""
FORGES = "import nbproctor.expect as e\ne.measured = []\n"


@pytest.mark.parametrize("points", [0.0, 1.0])
def test_a_test_reports_what_it_measures_until_it_fails(points: float) -> None:
    forges = f"{FORGES}def f(x):\n    e.measure('answer', 9.0)\n    return x"
    measures = cell("measures", "test", MEASURES, points)
    report = judged(
        measures, replace(measures, id="beside", where="beside"), answer=forges
    )
    found, beside = report.verdicts
    assert (found.outcome, found.points) == ("failed", 0)
    assert found.measures == (Measure("answer", 3.0, "of three"),)
    assert beside.measures == ()  # there, an answer could say anything
    assert found.outputs()[0]["text"] == "answer: 3 (of three)\n"


def test_what_is_no_number_or_picture_is_not_measured(
    capsys: pytest.CaptureFixture[str],
) -> None:
    measure("in a kernel", 2)
    assert capsys.readouterr().out == "in a kernel: 2\n"
    with pytest.raises(ValueError, match="measures loss as nan"):
        measure("loss", math.nan)
    for pictures in [("too large", np.zeros((1, 129)))], [("small", [[0]])] * 7:
        with pytest.raises(ValueError, match="The test"):
            measure("read", 1, pictures=pictures)


def test_a_helper_cell_is_run_to_its_last_line() -> None:
    helper = cell("tools", "helper", "tools = []\ntools.append(f)")
    report = judged(helper, cell("t", "test", "assert tools[0](1) == 1", 1.0))
    assert [verdict.points for verdict in report.verdicts] == [1]


@pytest.mark.parametrize("trouble", ["1 / 0", "def (", "raise KeyError(f(1))"])
def test_a_helper_of_the_teacher_s_that_fails_is_the_teacher_s_to_know(
    trouble: str,
) -> None:
    report = judged(cell("tools", "helper", trouble), cell("t", "test", "f(1)", 1.0))
    (verdict,) = report.verdicts
    assert verdict.outcome == "not run"
    assert verdict.message.startswith("This test is broken, tell your teacher:")


def test_a_process_that_ends_is_noted_once_however_many_tests_it_costs() -> None:
    dies = "def f(x):\n    import os; os._exit(1)"
    tests = [cell(f"t{number}", "test", "assert f(1)", 1.0) for number in range(3)]
    report = judged(*tests, answer=dies)
    text = "`f` ended the Python process that it ran in."
    assert report.notes == [text]
    assert [verdict.message for verdict in report.verdicts] == [
        text,
        text,
        "Not run: `f` was stopped in earlier tests.",
    ]
    assert {verdict.outcome for verdict in report.verdicts} == {"died"}


def test_what_counts_nothing_is_no_note_on_a_submission() -> None:
    dies = "def f(x):\n    import os; os._exit(1)"
    report = judged(cell("measured", "test", "f(1)", exercise=None), answer=dies)
    assert (report.verdicts[0].outcome, report.notes) == ("died", [])


@pytest.mark.slow
def test_when_the_time_is_used_up_the_rest_is_said_to_be_not_run() -> None:
    limits = Limits(call=5.0, cell=10.0, submission=0.5)
    endless = cell("endless", "test", "while True: pass", 1.0)
    rest = cell("rest", "test", "assert f(1) == 1", 1.0)
    first, second = judged(endless, rest, limits=limits).verdicts
    assert first.outcome == "timeout"
    assert "the notebook's time is used up" in first.message
    assert (second.outcome, second.points) == ("not run", 0)
    assert second.message == "Not run: no time left for this notebook."
