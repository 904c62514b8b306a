"""Tables, estimators and exceptions that lie: they earn nothing, and harm nobody."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

if sys.platform != "linux":
    pytest.skip("student code is held on Linux only", allow_module_level=True)

from nbproctor.engine import Execution, Servers, Settings, execute
from nbproctor.notebook import MasterNotebook
from nbproctor.results import Report
from nbproctor.sandbox.policy import Policy
from tests.hostile.tables import CASES, EARNS, TABLES
from tests.timing import limits

pytestmark = pytest.mark.slow
SETTINGS = Settings(
    limits(call=3.0, cell=6.0, submission=60.0), Policy(), follow_through=False
)


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> MasterNotebook:
    return TABLES.write(tmp_path_factory.mktemp("course"))


def judged(master: MasterNotebook, servers: Servers, **cells: str) -> Report:
    return execute(Execution(TABLES.handed_in(**cells), master, SETTINGS), servers)


def test_the_honest_submission_earns_everything(
    master: MasterNotebook, servers: Servers
) -> None:
    report = judged(master, servers)
    assert TABLES.earned(report) == TABLES.full(), report.verdicts
    assert report.notes == []


@pytest.mark.parametrize("case", CASES)
def test_a_hostile_table(master: MasterNotebook, servers: Servers, case: str) -> None:
    exercise, answer = CASES[case]
    report = judged(master, servers, **{exercise: answer})
    points = TABLES.earned(report)
    assert points[exercise] == EARNS.get(case, 0), report.verdicts
    assert points == TABLES.full() | {exercise: points[exercise]}


def test_the_list_in_the_docs_is_this_list(project: Path) -> None:
    page = (project / "docs" / "security.md").read_text("utf-8")
    listed = [x for x in page.splitlines() if x.startswith("- `") and x.endswith("`")]
    assert listed == [f"- `{name.replace('_', ' ')}`" for name in CASES]
