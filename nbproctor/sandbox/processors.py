"""Processors: how many this process may use, and one for each fork server.

A judge and its student process never work at the same time, and wake each other some
thousand times a notebook, which takes four times as long on another processor. So every
fork server claims one that no other has, as long as one is left.
"""

from __future__ import annotations

import math
import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")  # where control groups are shown
MEMBERSHIP = Path("/proc/self/cgroup")  # says in which of them this process is
# The files with time and period of a group, in versions 2 and 1.
_QUOTA_FILES = ("cpu.max",), ("cpu.cfs_quota_us", "cpu.cfs_period_us")
_CLAIM = "\0nbproctor processor {}"  # an abstract socket: gone with its process


def count_processors() -> int:
    """Return how many processors this process may use, not how many there are.

    A container has a share of the time of all of its computer's processors: one process
    for each would have them wait for each other, and their time limits pass.
    """
    count = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    quota = min(map(_quota, _groups()), default=math.inf)
    return max(1, math.ceil(min(count, quota)))


def _groups() -> Iterator[Path]:
    """Yield the folders of this process's control groups, and of those around them.

    A group never gets more than one around it. Version 1 has ``cpu`` as a tree of its
    own. A container may see its group as the root, whatever its path is outside.
    """
    try:
        lines = MEMBERSHIP.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "" or "cpu" in controllers.split(","):
            root = CGROUP / "cpu" if controllers else CGROUP
            group = root / path.lstrip("/")
            while group != root:
                yield group
                group = group.parent
            yield root


def _quota(group: Path) -> float:
    """Return the time that a control group gives, in processors."""
    for names in _QUOTA_FILES:
        with suppress(OSError, ValueError):  # another version; "max"
            texts = [(group / name).read_text() for name in names]
            time, period = map(int, " ".join(texts).split())
            if time > 0 and period > 0:
                return time / period
    return math.inf


class Processor:
    """Claim on a processor of this computer that nobody else has claimed.

    Its `number` is None if all are claimed, or none can be chosen here.
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
    """Keep this process and its later forks on a processor; None allows any."""
    if number is not None:
        os.sched_setaffinity(0, {number})
