"""The cache of reports: what is executed again, and what is not."""

from __future__ import annotations

import os
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nbproctor.engine import (
    Cache,
    CachingExecutor,
    Execution,
    Settings,
    cache,
)
from nbproctor.notebook import MasterNotebook
from nbproctor.results import Report, StudentCell, Verdict
from nbproctor.sandbox.policy import Policy
from tests import PROJECT

MASTER = MasterNotebook.read(PROJECT / "examples/tiny/source/tiny/tiny.ipynb")
CELLS = [StudentCell(0, "mean_of", "def mean_of(x): return sum(x) / len(x)")]
FILES = {"data/beside.csv": b"1,2"}
REPORT = Report(
    {
        0: [
            {
                "output_type": "stream",
                "name": "stdout",
                "text": "é",
            }
        ]
    },
    [Verdict("test", "mean_of", 2.0, 3.0, "failed", "One ≠ two.")],
    ["A cell was stopped."],
)


def numbered(executions: int) -> Report:
    """Return the report of the last of so many executions."""
    return replace(REPORT, untried=[str(executions)])


class CacheUser:
    """Asks one cache for the report of one execution, again and again.

    As the executor behind it, it numbers its reports.
    """

    concurrency = 1

    def __init__(self, folder: Path) -> None:
        self.data_file = folder / "given.csv"
        self.data_file.write_text("1")
        policy = Policy(files=(("given.csv", str(self.data_file)),))
        self.execution = Execution(CELLS, MASTER, Settings(policy=policy), FILES)
        self.folder = folder / "cache"
        self.executed = 0

    def prepare(self, master: MasterNotebook, settings: Settings) -> None: ...

    def execute(self, execution: Execution) -> Future[Report]:
        self.executed += 1
        future: Future[Report] = Future()
        future.set_result(numbered(self.executed))
        return future

    def __call__(self, **options: Any) -> Report:
        caching = CachingExecutor(Cache(self.folder, 1 << 20), self, **options)
        return caching.execute(self.execution).result()


@pytest.fixture
def ask(tmp_path: Path) -> CacheUser:
    return CacheUser(tmp_path)


def test_a_report_comes_back_whole_and_is_not_executed_again(ask: CacheUser) -> None:
    for _ in range(2):  # each is a run of its own
        assert ask() == numbered(1)


def with_tests(**changes: Any) -> MasterNotebook:
    """Return the assignment with other test cells."""
    return MASTER.with_cells(
        replace(c, **changes) if c.kind == "test" else c for c in MASTER.cells
    )


def with_value(record: Any, path: str, value: Any) -> Any:
    """Return a record with another value at a path of fields."""
    name, _, inner_path = path.partition(".")
    if inner_path:
        value = with_value(getattr(record, name), inner_path, value)
    return replace(record, **{name: value})


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("cells", [replace(CELLS[0], source="pass")]),
        ("cells", [replace(CELLS[0], id="fizz")]),
        ("files", {"data/beside.csv": b"1,3"}),
        ("master", with_tests(points=7.0)),
        ("master", with_tests(where="beside")),
        ("settings.limits.call", 1.0),
        ("settings.policy.memory", 1 << 28),
        ("settings.policy.environment", (("NAME", "value"),)),
        ("settings.policy.network", True),
        ("settings.policy.weak", True),
        ("settings.follow_through", False),
    ],
)
def test_what_a_report_depends_on_is_executed_again_when_it_changes(
    ask: CacheUser, path: str, value: Any
) -> None:
    ask()
    ask.execution = with_value(ask.execution, path, value)
    ask()
    assert ask.executed == 2


def test_another_file_of_the_assignment_executes_again(ask: CacheUser) -> None:
    ask()
    ask.data_file.write_text("2")
    ask()
    assert ask.executed == 2


@pytest.mark.parametrize("name", [cache.SOURCE_KEY, "Python", "numpy"])
def test_another_version_executes_again(
    ask: CacheUser,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    ask()
    versions = cache.versions()
    assert versions[name]
    monkeypatch.setattr(cache, "versions", lambda: versions | {name: "another"})
    ask()
    assert ask.executed == 2


def test_another_pip_or_way_of_installing_is_no_other_version() -> None:
    assert not {"pip", "nbproctor"} & cache.versions().keys()


def test_the_version_of_nbproctor_is_that_of_its_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "PACKAGE", tmp_path)
    hashes = set()
    for name, text in ("a.py", "a = 1"), ("a.py", "a = 2"), ("b.py", "a = 2"):
        (tmp_path / "a.py").unlink(missing_ok=True)
        (tmp_path / name).write_text(text)
        hashes.add(cache.versions()[cache.SOURCE_KEY])
    assert len(hashes) == 3


@pytest.mark.parametrize("size", [0, 20, -1])
def test_a_damaged_entry_is_executed_again(ask: CacheUser, size: int) -> None:
    ask()
    (entry,) = ask.folder.glob("??/*")
    entry.write_bytes(entry.read_bytes()[:size] + b"x")
    assert ask() == numbered(2)


def test_force_executes_and_replaces_what_is_cached(ask: CacheUser) -> None:
    ask()
    ask(force=True)
    assert ask() == numbered(2)


def test_the_folder_is_bounded_and_keeps_what_was_used_last(tmp_path: Path) -> None:
    one = replace(REPORT, notes=[os.urandom(1000).hex()])  # and is not compressed away
    reports = Cache(tmp_path, 40_000)
    names = [f"{number:02}entry" for number in range(60)]
    for moment, name in enumerate(names):
        reports.write(name, one)
        path = tmp_path / name[:2] / name
        if path.exists():
            os.utime(path, (moment, moment))
        assert reports.read(names[0])  # used all the time
    sizes = [path.stat().st_size for path in tmp_path.glob("??/*")]
    assert 30_000 < sum(sizes) < 45_000
    assert reports.read(names[-2])
    assert not reports.read(names[1])
