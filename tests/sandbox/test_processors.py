"""A container's share of its computer's processors is respected."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nbproctor.sandbox import processors
from tests.copies import write_file


@pytest.fixture
def on_eight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Be on eight processors, without control groups so far."""
    monkeypatch.setattr(processors, "CGROUP", tmp_path)
    monkeypatch.setattr(processors, "MEMBERSHIP", tmp_path / "self")
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    return tmp_path


# Group of the process; files of groups; how many of eight processors it may use.
GROUPS = """\
; ; 8
0::/; cpu.max = max 100000; 8
0::/; cpu.max = 200000 100000; 2
0::/; cpu.max = 150000 100000; 2
0::/; cpu.max = 50000 100000; 1
0::/; cpu.max = 6400000 100000; 8
0::/; cpu.max = nonsense; 8
0::/a/b; a/b/cpu.max = 200000 100000; 2
0::/a/b; a/cpu.max = 2 1, a/b/cpu.max = 3 1; 2
0::/not/here; cpu.max = 3 1; 3
0::/../b; cpu.max = 3 1; 3
4:cpu,cpuacct:/ 0::/; cpu/cpu.cfs_quota_us = 300000, cpu/cpu.cfs_period_us = 100000; 3
4:memory:/a 1:cpu:/a; cpu/a/cpu.cfs_quota_us = 3, cpu/a/cpu.cfs_period_us = 1; 3
1:cpu:/docker/a; cpu/cpu.cfs_quota_us = 300000, cpu/cpu.cfs_period_us = 100000; 3
1:cpuset:/; cpu/cpu.cfs_quota_us = 300000, cpu/cpu.cfs_period_us = 100000; 8
1:cpu:/; cpu/cpu.cfs_quota_us = -1, cpu/cpu.cfs_period_us = 100000; 8
1:cpu:/; cpu/cpu.cfs_quota_us = 1, cpu/cpu.cfs_period_us = 0; 8
"""


@pytest.mark.parametrize("case", GROUPS.splitlines())
def test_a_containers_share_is_respected(on_eight: Path, case: str) -> None:
    """In a group of its own, or of the one around it, or seen as the root."""
    membership, files, count = case.split(";")
    (on_eight / "self").write_text(membership.replace(" ", "\n"))
    for file in filter(None, map(str.strip, files.split(", "))):
        name, content = file.split(" = ")
        write_file(on_eight / name, f"{content}\n")
    assert processors.count_processors() == int(count)
