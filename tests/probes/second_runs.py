"""A judge without the protection of second runs, as the control of attacks on them.

Student processes have a perfect way to tell each other something here: a dictionary
that all those of a job share.
"""

from __future__ import annotations

import builtins
import mmap
import pickle
import socket
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from nbproctor.judge import order, run
from nbproctor.judge.order import Step
from nbproctor.judge.processes import Spawn
from nbproctor.student import process

UNPROTECTED = b"second runs last"  # before a `Job`
with_second_runs = order.with_second_runs
shared = mmap.mmap(-1, 1 << 20)


def recall() -> Any:
    return pickle.loads(shared)


def remember(**notes: Any) -> None:
    pickled = pickle.dumps(notes)
    shared[: len(pickled)] = pickled


def judge(data: bytes, spawn: Spawn) -> bytes:
    """Grade a `Job` as submissions are, or without protection."""
    if data.startswith(UNPROTECTED):
        order.with_second_runs = second_runs_last
    remember(processes=-1)
    return run.main(data.removeprefix(UNPROTECTED), spawn)


def student(sock: socket.socket) -> None:
    """Serve as a student process does; the first has the number 0."""
    notes = recall()
    notes["processes"] += 1
    remember(**notes)
    names = {
        "recall": recall,
        "remember": remember,
        "process_number": notes["processes"],
    }
    vars(builtins).update(names)
    process.main(sock)


def second_runs_last(
    steps: Sequence[Step], judge_again: Callable[..., Any]
) -> Iterator[Step]:
    """Yield a plan, and after all of it judge what has a second run."""
    yield from steps
    deque(with_second_runs(steps, judge_again), 0)
