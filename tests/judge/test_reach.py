"""No text, code or constant of a reference is in a process that runs student code.

Processes are searched from outside, as root may: whatever a student could find in her
process's memory, this finds as well.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import Future, wait
from dataclasses import replace

import psutil
import pytest

from nbproctor.engine import Execution, Pool, Settings
from nbproctor.notebook import Cell
from nbproctor.results import Limits, Report
from nbproctor.sandbox.policy import Policy
from tests.hostile.trap import Assignment
from tests.users import memory_of

pytestmark = pytest.mark.slow
if sys.platform != "linux" or os.geteuid() != 0:
    pytest.skip("memory is read as root, on Linux", allow_module_level=True)

MARK = "a-mark-of-the-reference"
STUDENT = "a-mark-of-the-student"
LIMITS = Limits(
    call=60.0,
    cell=120.0,
    submission=500.0,
)
# The mark is put together only where the cell runs; then the process waits until it has
# been read.
WAIT = f"""
if "mark" not in globals():
    import signal
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    mark = "".join(reversed({STUDENT[::-1]!r}))
    signal.sigtimedwait([signal.SIGUSR1], 60)
"""


# Answers that wait do more than to define, so they are tried again among references.
ANSWERS = {
    "half": "def half(x):\n    return x / 2",
    "quarter": "def quarter(x):\n    return half(half(x))",
    "eighth": "def eighth(x):\n    return half(quarter(x))",
}
TRIED = "quarter", "eighth"
COURSE = Assignment(
    "reach",
    "import numpy as np",
    ANSWERS,
    "".join(f"\n--- {name}-test 1\nassert {name}(8.0)" for name in ANSWERS),
)


def read_memories(running: Future[Report]) -> Iterator[tuple[int, bytes]]:
    """Yield the memory of all processes below this one, again and again.

    Those that were there before are looked at in the end, and what has a reference in
    it once: the others may yet get one. Who waits for it goes on after a whole round.
    """
    before = {process.pid for process in psutil.Process().children(recursive=True)}
    done: set[int] = set()
    waiting: set[psutil.Process] = set()
    while True:
        ended = wait([running], timeout=0.1).done
        waiting_before = waiting
        waiting = set()
        for process in psutil.Process().children(recursive=True):
            if process.pid in done or (process.pid in before and not ended):
                continue
            try:
                memory = memory_of(process.pid)
            except (OSError, psutil.Error):
                continue
            if MARK.encode() in memory:
                done.add(process.pid)
            if STUDENT.encode() in memory:
                waiting.add(process)
            yield process.pid, memory
        for process in waiting & waiting_before:
            with contextlib.suppress(psutil.Error):
                process.send_signal(signal.SIGUSR1)
        if ended:
            return


def marked(cell: Cell) -> Cell:
    """Plant marks in a reference: in its text, its constants and its code."""
    first, *body = cell.source.split("\n")
    note = f"note = {MARK!r} if len({MARK!r}) else 0  # {MARK}"
    planted = [first, f'    """{MARK} in code"""', f"    {note}", *body]
    return replace(cell, source="\n".join(planted))


def test_no_reference_is_in_the_memory_of_a_process_with_student_code() -> None:
    """Cells of two exercises wait for the search, in each process once."""
    master = COURSE.master.with_cells(
        marked(c) if c.kind == "solution" else c for c in COURSE.master.cells
    )
    blank = dict.fromkeys(ANSWERS, "raise NotImplementedError")
    waiting = {name: f"{WAIT}\ndef {name}(x): return half(x)" for name in TRIED}
    cells = tuple(COURSE.handed_in(**blank | waiting))
    settings = Settings(LIMITS, Policy())
    students = set()
    references = set()
    with Pool(1) as pool:
        pool.prepare(master, settings)
        running = pool.execute(Execution(cells, master, settings))
        for pid, memory in read_memories(running):
            has_student = STUDENT.encode() in memory
            has_mark = MARK.encode() in memory
            assert not (has_student and has_mark), "a reference where student code is"
            students |= {pid} if has_student else set()
            references |= {pid} if has_mark else set()
    assert running.result().notes == []
    # The search finds what is there: marks of students in the own run and in those of
    # follow-through; and marks of references in the judge and in processes of their
    # own, which may end before they are seen.
    assert 2 <= len(students) <= 1 + len(TRIED)
    assert 2 <= len(references) <= 1 + len(TRIED)
