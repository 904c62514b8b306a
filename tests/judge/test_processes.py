"""What a notebook's cells do to their process, and what it costs the rest."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import pytest

from nbproctor.judge import processes
from nbproctor.notebook import Cell
from nbproctor.results import Report
from tests.forked import spawn
from tests.judge import notebooks
from tests.judge.notebooks import cell, usual_limits

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="needs a limit of memory")

# The sandbox sets such a limit; here the notebook sets it, as high as the process is.
LIMITED = """\
import re, resource
import numpy as np
status = open("/proc/self/status").read()
data = 1024 * int(re.search(r"VmData:\\s+(\\d+)", status)[1])
limit = data + max(256 << 20, data // 8)  # a sixteenth of it must be free at first
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
"""
LEAVES_LITTLE = """\
hoard = []
try:
    while True: hoard.append(np.ones(1 << 20))
except MemoryError:
    del hoard[-1]  # what is left is enough to say so, and for nothing else
"""
NEEDS_SOME = "def f(x): return x + int(np.ones(4 << 20).sum())"


CELLS = (
    cell("setup", "provided", LIMITED, exercise=None),
    cell("f", "solution", NEEDS_SOME),
    cell("test", "test", "assert f(1) == 1 + (4 << 20)", 2.0),
)


def judged(
    *handed_in: tuple[str | None, str], cells: tuple[Cell, ...] = CELLS, **options: Any
) -> Report:
    return notebooks.judged(cells, *handed_in, **options)


DIES_OF_IT = """\
def f(x):
    try: return x + int(np.ones(4 << 20).sum())
    except MemoryError:
        import os; os._exit(1)
"""


@LINUX
@pytest.mark.slow
@pytest.mark.parametrize("answer", [NEEDS_SOME, DIES_OF_IT], ids=["error", "death"])
def test_a_call_that_lacks_the_memory_of_another_cell_is_made_again(
    answer: str,
) -> None:
    before = None, "print('before')"
    report = judged(("setup", LIMITED), before, (None, LEAVES_LITTLE), ("f", answer))
    (verdict,) = report.verdicts
    assert verdict.points == 2, verdict.message
    assert report.notes == [
        "Cell `cell 3` used too much memory, so it was left out of the remaining tests."
    ]
    assert report.outputs[1][0]["text"] == "before\n"


@LINUX
@pytest.mark.slow
def test_an_answer_that_fills_the_memory_itself_blames_no_cell() -> None:
    greedy = "def f(x):\n    hoard = []\n    while True: hoard.append(np.ones(1 << 20))"
    report = judged(("setup", LIMITED), (None, "kept = 1"), ("f", greedy))
    (verdict,) = report.verdicts
    assert verdict.points == 0
    assert "MemoryError" in verdict.message
    assert report.notes == []


@LINUX
@pytest.mark.slow
def test_memory_that_one_answer_filled_costs_no_other_exercise() -> None:
    keeps = "hoard = []\ndef f(x):\n    while True: hoard.append(np.ones(1 << 20))"
    other = NEEDS_SOME.replace("f(x)", "g(x)")
    tests = [replace(CELLS[2], id=f"test{n}") for n in range(5)]
    last = replace(
        CELLS[2],
        id="last",
        source="assert g(1) > 1",
        exercise="g",
    )
    cells = (*CELLS[:2], *tests, replace(CELLS[1], id="g", exercise="g"), last)
    started: list[int] = []

    def counted() -> Any:
        started.append(1)
        return spawn()

    report = judged(
        ("setup", LIMITED), ("f", keeps), ("g", other), cells=cells, start=counted
    )
    *of_f, of_g = report.verdicts
    assert {verdict.points for verdict in of_f} == {0}
    assert of_g.points == 2, of_g.message
    # An exercise is tried again once: else its tests would use up the processes.
    assert len(started) <= 3


def test_outputs_beyond_what_is_kept_are_left_out_and_those_before_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(processes, "MAX_OUTPUT_BYTES", 2000)
    report = judged(
        (None, "print('first')"),
        (None, "print('x' * 3000)"),
        (None, "print('last')"),
    )
    assert report.outputs[0][0]["text"] == "first\n"
    for index in (1, 2):
        (output,) = report.outputs[index]
        assert output["name"] == "stderr"
        assert "outputs left out" in output["text"]


@pytest.mark.slow
def test_a_cell_that_hangs_is_named_with_its_limit_and_runs_no_second_time() -> None:
    limits = usual_limits(cell=0.4)
    dies = "import os; os._exit(1)"
    report = judged(
        (None, "while True: pass"), (None, "print('here')"), (None, dies), limits=limits
    )
    assert report.notes == [
        f"Cell `cell 1` was stopped: it did not finish in {limits.cell:g} seconds.",
        "Cell `cell 3` ended the Python process that it ran in.",
    ]
    assert [report.outputs[n][0].get("ename") for n in (0, 2)] == ["CellStopped"] * 2
    assert report.outputs[1][0]["text"] == "here\n"
