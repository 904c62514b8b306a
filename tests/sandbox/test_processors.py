"""A container's share of its computer's processors is respected."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nbproctor.sandbox import processors

QUOTA = "cpu/{}cpu.cfs_quota_us"
PERIOD = "cpu/{}cpu.cfs_period_us"


def version_1(quota: str, group: str = "", period: str = "100000\n") -> dict[str, str]:
    return {QUOTA.format(group): quota, PERIOD.format(group): period}


@pytest.fixture
def on_eight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Be on eight processors, without control groups so far."""
    monkeypatch.setattr(processors, "CGROUP", tmp_path)
    monkeypatch.setattr(processors, "MEMBERSHIP", tmp_path / "self")
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    return tmp_path


@pytest.mark.parametrize(
    ("membership", "files", "count"),
    [
        ("", {}, 8),
        ("0::/", {"cpu.max": "max 100000\n"}, 8),
        ("0::/", {"cpu.max": "200000 100000\n"}, 2),
        ("0::/", {"cpu.max": "150000 100000\n"}, 2),
        ("0::/", {"cpu.max": "50000 100000\n"}, 1),
        ("0::/", {"cpu.max": "6400000 100000\n"}, 8),
        ("0::/", {"cpu.max": "nonsense\n"}, 8),
        # In a group of its own, or of the one around it, or seen as the root.
        ("0::/a/b", {"a/b/cpu.max": "200000 100000\n"}, 2),
        ("0::/a/b", {"a/cpu.max": "2 1\n", "a/b/cpu.max": "3 1\n"}, 2),
        ("0::/not/here", {"cpu.max": "3 1\n"}, 3),
        ("0::/../b", {"cpu.max": "3 1\n"}, 3),
        ("4:cpu,cpuacct:/\n0::/", version_1("300000\n"), 3),
        ("4:memory:/a\n1:cpu:/a", version_1("300000\n", "a/"), 3),
        ("1:cpu:/docker/a", version_1("300000\n"), 3),
        ("1:cpuset:/", version_1("300000\n"), 8),
        ("1:cpu:/", version_1("-1\n"), 8),
        ("1:cpu:/", version_1("1\n", period="0\n"), 8),
    ],
)
def test_a_containers_share_is_respected(
    on_eight: Path, membership: str, files: dict[str, str], count: int
) -> None:
    for name, text in (files | {"self": membership}).items():
        (on_eight / name).parent.mkdir(parents=True, exist_ok=True)
        (on_eight / name).write_text(text)
    assert processors.processors() == count
