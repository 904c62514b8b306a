"""A judge that can be told to judge second runs last, as the control of attacks."""

from __future__ import annotations

import mmap
import os
import socket
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from nbproctor.judge import order, run
from nbproctor.judge.order import Step
from nbproctor.judge.processes import Spawn
from nbproctor.student import process

PROTECTED = b"1"
with_second_runs = order.with_second_runs
students = mmap.mmap(-1, 1)  # how many were started; shared by all forks


def judge(data: bytes, spawn: Spawn) -> bytes:
    """Grade a `Job`, as submissions are if the byte before it is `PROTECTED`."""
    students[0] = 0
    if data[:1] != PROTECTED:
        order.with_second_runs = second_runs_last
    return run.main(data[1:], spawn)


def student(sock: socket.socket) -> None:
    """Serve as a student process does; it knows how many were started before it."""
    os.environ["PROCESS"] = str(students[0])
    students[0] += 1
    process.main(sock)


def second_runs_last(
    steps: Sequence[Step], judge_again: Callable[..., Any]
) -> Iterator[Step]:
    """Yield a plan, and after all of it judge what has a second run."""
    yield from steps
    deque(with_second_runs(steps, judge_again), 0)
