"""Processors: how many this process may use, and one for each fork server.

A judge and its student process never work at the same time. They wake each other about
a thousand times for a notebook, which takes four times as long if they are on different
processors. So every fork server claims a processor that no other one uses, if there is
one.
"""

from __future__ import annotations

import math
import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")  # the folder of control groups
MEMBERSHIP = Path("/proc/self/cgroup")  # lists the groups of this process
# The files with time and period of a group, in versions 2 and 1.
_QUOTA_FILES = ("cpu.max",), ("cpu.cfs_quota_us", "cpu.cfs_period_us")
_CLAIM = "\0nbproctor processor {}"  # an abstract socket, gone when its process ends


def count_processors() -> int:
    """Return how many processors this process may use, not how many there are.

    A container may see all processors of its computer, but get only a part of their
    time. With one process for each of them, the processes would wait for each other,
    and exceed their time limits.
    """
    count = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    quota = min(map(_quota, _groups()), default=math.inf)
    return max(1, math.ceil(min(count, quota)))


def _groups() -> Iterator[Path]:
    """Yield the folders of this process's control groups, and their parents.

    A group never gets more than its parent. Version 1 has a separate tree for ``cpu``.
    A container may see its group as the root, whatever its path is outside.
    """
    try:
        lines = MEMBERSHIP.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        limits_processors = "cpu" in controllers.split(",")
        if limits_processors or not controllers:
            root = CGROUP / "cpu" if controllers else CGROUP
            group = root / path.lstrip("/")
            while group != root:
                yield group
                group = group.parent
            yield root


def _quota(group: Path) -> float:
    """Return the time that a control group gives, in processors; maybe infinite."""
    for names in _QUOTA_FILES:
        with suppress(OSError, ValueError):  # the other version, or no limit ("max")
            text = " ".join((group / name).read_text() for name in names)
            time, period = map(int, text.split())
            if time > 0 and period > 0:
                return time / period
    return math.inf


class Processor:
    """A claim on a processor of this computer that no other process has claimed.

    `number` is None if all processors are claimed, or this system cannot choose one.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self._claim: socket.socket | None = None
        if not hasattr(os, "sched_setaffinity"):
            return
        for number in sorted(os.sched_getaffinity(0)):
            claim = socket.socket(socket.AF_UNIX)
            try:
                claim.bind(_CLAIM.format(number))
            except OSError:
                claim.close()
                continue
            self.number = number
            self._claim = claim
            return

    def close(self) -> None:
        """Give up the claim."""
        if self._claim:
            self._claim.close()


def pin_to_processor(number: int | None) -> None:
    """Run this process and its later forks on one processor; None allows all."""
    if number is not None:
        os.sched_setaffinity(0, {number})
