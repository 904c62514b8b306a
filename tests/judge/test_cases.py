"""Whole notebooks through the judge: the tables of `tests.judge.cases`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.judge.cases import FIRST_RUN, FOLLOW_THROUGH, MEMORY, STOPPED
from tests.judge.notebooks import Case, earned


def cases(table: str) -> list[Case]:
    return [Case.read(text) for text in table.split("\n=== ")[1:]]


def check(
    case: Case,
    *,
    follow_through: bool = False,
) -> None:
    report = case.judge(follow_through=follow_through)
    limits = vars(case.limits)
    for verdict in report.verdicts:
        result, _, words = case.results[verdict.cell_id].partition(": ")
        points, *states = result.split()
        assert verdict.points == float(points), verdict.message
        assert {*states} <= {verdict.outcome.replace(" ", "-"), verdict.source}
        assert words.format(**limits) in verdict.message
    assert report.notes == [note.format(**limits) for note in case.notes]
    assert "LEAK" not in str([report.outputs, *(v.outputs() for v in report.verdicts)])
    if follow_through and not any(earned(report)):  # the control
        case.submitted = {c.id: c.source for c in case.cells}
        best = [verdict.max_points for verdict in report.verdicts]
        assert earned(case.judge(follow_through=True)) == best


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("case", cases(FIRST_RUN), ids=lambda case: case.name)
def test_a_notebook(case: Case) -> None:
    check(case)


@pytest.mark.slow
@pytest.mark.parametrize("case", cases(STOPPED), ids=lambda case: case.name)
def test_a_notebook_with_stops(case: Case) -> None:
    check(case)


@pytest.mark.slow
@pytest.mark.parametrize("case", cases(FOLLOW_THROUGH), ids=lambda case: case.name)
def test_a_notebook_judged_again(case: Case) -> None:
    check(case, follow_through=True)


@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit of memory")
@pytest.mark.slow
@pytest.mark.parametrize("case", cases(MEMORY), ids=lambda case: case.name)
def test_a_notebook_without_memory(case: Case) -> None:
    check(case)
