"""What a pool of fork servers promises: one more try, and nobody else's servers."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

import numpy as np
import psutil
import pytest

from nbproctor.engine import (
    Execution,
    ExecutionError,
    Pool,
    Servers,
    Settings,
    execute,
    execution,
)
from nbproctor.results import Report, StudentCell
from nbproctor.sandbox.forkserver import (
    ForkServer,
    ForkServerError,
    JudgeError,
    JudgeTimeoutError,
)
from nbproctor.sandbox.policy import Policy
from tests.engine.test_cache import CELLS, MASTER
from tests.judge.notebooks import cell
from tests.notebooks import LOCKED

pytestmark = pytest.mark.slow

SETTINGS = Settings(policy=Policy(weak=True))
EXECUTION = Execution(CELLS, MASTER, SETTINGS)
ENDLESS = [StudentCell(0, "mean_of", "while True: pass")]


def earned(report: Report) -> float:
    return sum(v.points for v in report.verdicts if v.exercise == "mean_of")


def kill(server: ForkServer) -> None:
    family = psutil.Process(server.pid)  # of bubblewrap, where it is
    for process in [*family.children(recursive=True), family]:
        with contextlib.suppress(psutil.NoSuchProcess):  # it dies with its child
            process.kill()
    server._process.wait()


def test_a_fork_server_that_dies_costs_a_try_and_its_reason_is_logged(
    servers: Servers,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dead: list[ForkServer] = []
    run = ForkServer.run

    def die_once(self: ForkServer, job: bytes, timeout: float) -> bytes:
        if not dead:
            dead.append(self)
            kill(self)
        return run(self, job, timeout)

    monkeypatch.setattr(ForkServer, "run", die_once)
    with caplog.at_level(logging.WARNING, "nbproctor"):
        assert earned(execute(EXECUTION, servers))
    assert "the fork server has died" in caplog.text
    with servers.acquire(MASTER, SETTINGS) as other:
        assert other not in dead


def test_fork_servers_that_die_while_nobody_uses_them_cost_nothing(
    servers: Servers, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        servers.acquire(MASTER, SETTINGS) as one,
        servers.acquire(MASTER, SETTINGS) as two,
    ):
        pass
    kill(one)
    kill(two)
    assert earned(execute(EXECUTION, servers))
    assert not caplog.text


THREAD = "import threading\nthreading.Thread(target=threading.Event().wait).start()\n"


@pytest.mark.parametrize("where", ["the first cell", "a library"])
def test_what_starts_a_thread_is_left_to_each_notebook(
    where: str, servers: Servers
) -> None:
    library = Path(np.__file__).parents[1] / f"thread_of_{os.getpid()}.py"
    code = THREAD if where == "the first cell" else f"import {library.stem}"
    first = cell("a", "provided", code, nbgrader=LOCKED)
    cells = MASTER.with_cells([first, *MASTER.cells])
    threading_master = replace(cells, modules=(library.stem,))
    try:
        library.write_text(THREAD)
        ran = [StudentCell(0, "a", code), replace(CELLS[0], index=1)]
        assert earned(execute(Execution(ran, threading_master, SETTINGS), servers))
    finally:
        library.unlink()


def test_a_file_replaced_between_two_runs_of_a_pool_is_read_anew(
    tmp_path: Path,
) -> None:
    weights = tmp_path / "weight.txt"
    settings = Settings(policy=Policy(weak=True, files=(("weight.txt", str(weights)),)))
    weighed = "w = float(open('weight.txt').read())\n" + CELLS[0].source
    cells = [StudentCell(0, "mean_of", f"{weighed} * w")]
    scores = []
    with Pool(1) as pool:
        for weight in "21":
            (tmp_path / "new").write_text(weight)
            (tmp_path / "new").replace(weights)
            pool.prepare(MASTER, settings)
            scores.append(
                earned(pool.execute(Execution(cells, MASTER, settings)).result())
            )
    assert scores[0] < scores[1]


def test_a_fork_server_is_kept_for_its_own_assignment_only(servers: Servers) -> None:
    others = Settings(policy=Policy(weak=True, memory=1 << 29))
    with servers.acquire(MASTER, SETTINGS) as one:
        pass
    with servers.acquire(MASTER, SETTINGS) as same:
        assert same is one
    with servers.acquire(MASTER, others) as other, pytest.raises(ForkServerError):
        assert other is not one
        one.run(b"", 1)  # ended, or they would add up


@pytest.mark.parametrize(
    ("last", "sentence"),
    [
        (JudgeError("secret"), "Its execution failed twice. The grading log says why."),
        (
            JudgeTimeoutError(),
            "Its execution was stopped: no result within 300 seconds.",
        ),
    ],
)
@pytest.mark.parametrize("time_of_death", [0, 150])
def test_what_is_said_of_a_failure_is_nothing_that_a_submission_chose(
    monkeypatch: pytest.MonkeyPatch,
    last: Exception,
    sentence: str,
    time_of_death: float,
) -> None:
    """Neither when its judge died, nor in which words."""
    clock = iter([0, 0, time_of_death])
    now = SimpleNamespace(monotonic=clock.__next__)
    monkeypatch.setattr(execution, "time", now)
    servers = MagicMock()
    server = servers.acquire.return_value.__enter__.return_value
    server.run.side_effect = [JudgeError("secret"), last]
    with pytest.raises(ExecutionError) as raised:
        execute(EXECUTION, servers)
    assert str(raised.value) == sentence


@pytest.mark.parametrize(("expected", "started"), [(1, 0), (2, 2)])
def test_fork_servers_start_early_if_all_of_them_will_be_needed(
    caplog: pytest.LogCaptureFixture, expected: int, started: int
) -> None:
    caplog.set_level("INFO", execution.__package__)
    with Pool(2) as pool:
        pool.prepare(MASTER, SETTINGS, expected)
    assert caplog.text.count(" started for ") == started


def test_closing_one_pool_ends_no_other_pool_s_servers() -> None:
    with Pool(1) as kept:
        kept.prepare(MASTER, SETTINGS)
        with Pool(1) as closed:
            assert earned(closed.execute(EXECUTION).result())
        assert earned(kept.execute(EXECUTION).result())


def test_an_execution_that_runs_when_the_pool_is_closed_fails_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    running = threading.Event()
    run = ForkServer.run

    def watched(self: ForkServer, job: bytes, timeout: float) -> bytes:
        running.set()
        return run(self, job, timeout)

    monkeypatch.setattr(ForkServer, "run", watched)
    pool = Pool(1)
    stopped = pool.execute(Execution(ENDLESS, MASTER, SETTINGS))
    waiting = pool.execute(EXECUTION)
    assert running.wait(30)
    pool.shutdown(cancel_futures=True)  # returns when nothing runs any more
    assert waiting.cancelled()
    with pytest.raises(ExecutionError, match=r"stopped|died"):
        stopped.result(timeout=0)
