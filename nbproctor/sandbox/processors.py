"""How many processors this process may use."""

from __future__ import annotations

import math
import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")


def processors() -> int:
    """Return how many processors this process may use, not how many there are.

    A container has a share of the time of all of its computer's processors: one process
    for each would have them wait for each other, and their time limits pass.
    """
    count = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    return max(1, math.ceil(min(count, _share())))


def _share() -> float:
    """Return the time that the control group gives, in processors."""
    try:
        quota, period = (CGROUP / "cpu.max").read_text().split()
    except (OSError, ValueError):  # not cgroup v2, or its root
        first = CGROUP / "cpu"
        try:
            quota = (first / "cpu.cfs_quota_us").read_text()
            period = (first / "cpu.cfs_period_us").read_text()
        except OSError:
            return math.inf
    try:
        time, out_of = int(quota), int(period)
    except ValueError:  # "max"
        return math.inf
    return time / out_of if time > 0 and out_of > 0 else math.inf
