"""The cache of reports: what is executed again, and what is not."""

from __future__ import annotations

import os
from collections.abc import Callable
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
from nbproctor.results import Limits, Report, StudentCell, Verdict
from nbproctor.sandbox.policy import Policy

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
    1.5,
)


class Counting:
    """An executor that counts executions, and gives a report made before."""

    width = 1

    def __init__(self) -> None:
        self.executed = 0

    def prepare(self, master: MasterNotebook, settings: Settings) -> None: ...

    def execute(self, execution: Execution) -> Future[Report]:
        self.executed += 1
        future: Future[Report] = Future()
        future.set_result(REPORT)
        return future


class CacheUser:
    """Asks one cache for the report of one execution, again and again."""

    def __init__(self, master: MasterNotebook, folder: Path) -> None:
        data_file = folder / "given.csv"
        data_file.write_text("1")
        settings = Settings(policy=Policy(files=(("given.csv", str(data_file)),)))
        self.execution = dict(
            cells=CELLS,
            master=master,
            settings=settings,
            files=FILES,
        )
        self.folder = folder / "cache"
        self.counting = Counting()

    def __call__(self, **options: Any) -> Report:
        cache = Cache(self.folder, 1 << 20)
        caching = CachingExecutor(cache, self.counting, **options)
        return caching.execute(Execution(**self.execution)).result()

    def entries(self) -> list[Path]:
        return sorted(self.folder.glob("??/*"))


@pytest.fixture
def ask(tiny_master: MasterNotebook, tmp_path: Path) -> CacheUser:
    return CacheUser(tiny_master, tmp_path)


def test_a_report_comes_back_whole_and_is_not_executed_again(ask: CacheUser) -> None:
    for _ in range(2):  # each is a run of its own
        report = ask()
        assert (report, report.seconds) == (REPORT, REPORT.seconds)
    assert ask.counting.executed == 1


def policy(**changes: Any) -> Any:
    def change(execution: dict[str, Any]) -> None:
        old = execution["settings"].policy
        execution["settings"] = replace(
            execution["settings"], policy=replace(old, **changes)
        )

    return change


def settings(**changes: Any) -> Any:
    return lambda execution: execution.update(
        settings=replace(execution["settings"], **changes)
    )


def of_tests(**changes: Any) -> Any:
    def change(execution: dict[str, Any]) -> None:
        cells = execution["master"].cells
        changed = (replace(c, **changes) if c.kind == "test" else c for c in cells)
        execution["master"] = execution["master"].with_cells(changed)

    return change


INGREDIENTS = {
    "the text of a cell": lambda a: a.update(cells=[replace(CELLS[0], source="pass")]),
    "the name of a cell": lambda a: a.update(cells=[replace(CELLS[0], id="fizz")]),
    "the content of a file": lambda a: a.update(files={"data/beside.csv": b"1,3"}),
    "the assignment": of_tests(points=7.0),
    "where a test is judged": of_tests(where="beside"),
    "a limit": settings(limits=Limits(call=1.0)),
    "the memory": policy(memory=1 << 28),
    "a variable": policy(environment=(("NAME", "value"),)),
    "the network": policy(network=True),
    "follow-through": settings(follow_through=False),
    "the strength of the sandbox": policy(weak=True),
    "a file of the assignment": lambda a: Path(
        a["settings"].policy.files[0][1]
    ).write_text("2"),
}


@pytest.mark.parametrize("change", INGREDIENTS.values(), ids=INGREDIENTS)
def test_what_a_report_depends_on_is_executed_again_when_it_changes(
    ask: CacheUser, change: Any
) -> None:
    ask()
    change(ask.execution)
    ask()
    assert ask.counting.executed == 2


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
    assert ask.counting.executed == 2


def test_another_pip_or_way_of_installing_is_no_other_version() -> None:
    assert not {"pip", "nbproctor"} & cache.versions().keys()


def test_the_version_of_nbproctor_is_that_of_its_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "judge").mkdir()
    module = tmp_path / "judge/order.py"
    monkeypatch.setattr(cache, "PACKAGE", tmp_path)
    modules = set()
    for text in ("a = 1", "a = 2"):
        module.write_text(text)
        modules.add(cache.versions()[cache.SOURCE_KEY])
    module.rename(tmp_path / "order.py")
    modules.add(cache.versions()[cache.SOURCE_KEY])
    assert len(modules) == 3


def test_force_executes_and_replaces_what_is_kept(ask: CacheUser) -> None:
    ask()
    (entry,) = ask.entries()
    entry.write_bytes(b"")
    ask(force=True)
    assert (ask(), ask.counting.executed) == (REPORT, 2)


@pytest.mark.parametrize(
    "damage",
    [lambda data: b"", lambda data: data[:20], lambda data: data[:-1] + b"x"],
    ids=["empty", "cut short", "one byte"],
)
def test_a_damaged_entry_is_executed_again(
    ask: CacheUser, damage: Callable[[bytes], bytes]
) -> None:
    ask()
    (entry,) = ask.entries()
    entry.write_bytes(damage(entry.read_bytes()))
    assert (ask(), ask.counting.executed) == (REPORT, 2)


def test_the_folder_is_bounded_and_keeps_what_was_used_last(ask: CacheUser) -> None:
    one = replace(REPORT, notes=[os.urandom(1000).hex()])  # and is not compressed away
    Cache(ask.folder, 1 << 20).write("00probe", one)
    (probe,) = ask.entries()
    small_cache = Cache(ask.folder, 20 * probe.stat().st_size)
    probe.unlink()
    names = [f"{number:02}entry" for number in range(60)]
    for moment, name in enumerate(names):
        small_cache.write(name, one)
        path = ask.folder / name[:2] / name
        if path.exists():
            os.utime(path, (moment, moment))
        assert small_cache.read(names[0])  # used all the time
    assert len(ask.entries()) <= 22
    assert small_cache.read(names[0]) and small_cache.read(names[-2])
    assert not small_cache.read(names[1])
