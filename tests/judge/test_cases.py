"""Whole notebooks through the judge: the tables of `tests.judge.cases`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from nbproctor.protocol.objects import list_library_classes
from tests.judge.cases import FIRST_RUN, FOLLOW_THROUGH, MEMORY, STOPPED
from tests.judge.notebooks import Case, earned

SLOW = pytest.mark.slow
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="needs a limit of memory")


def cases(
    table: str,
    *marks: pytest.MarkDecorator,
    follow_through: bool = False,
) -> list[object]:
    """Return the cases of a table, each with its name and these marks."""
    read = map(Case.read, table.split("\n=== ")[1:])
    return [
        pytest.param(case, follow_through, id=case.name, marks=marks) for case in read
    ]


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    list_library_classes()  # of this process, which is the judge's


@pytest.mark.parametrize(
    ("case", "follow_through"),
    [
        *cases(FIRST_RUN),
        *cases(STOPPED, SLOW),
        *cases(MEMORY, SLOW, LINUX),
        *cases(FOLLOW_THROUGH, SLOW, follow_through=True),
    ],
)
def test_a_notebook(case: Case, follow_through: bool) -> None:
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
