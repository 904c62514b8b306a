"""The ids of tests are the same everywhere; pytest-xdist runs nothing otherwise."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.copies import link

# Collects as if it were later, on another computer, with more processors.
ELSEWHERE = """\
import os, platform, socket, sys, time
late = 40 * 24 * 3600 + 12345.6
now, local, utc = time.time, time.localtime, time.gmtime
time.time = lambda: now() + late
time.time_ns = lambda: int(time.time() * 1e9)
time.localtime = lambda seconds=None: local(time.time() if seconds is None else seconds)
time.gmtime = lambda seconds=None: utc(time.time() if seconds is None else seconds)
os.cpu_count = lambda: 13
platform.node = socket.gethostname = lambda: "elsewhere"
import pytest
sys.exit(pytest.main(sys.argv[1:]))
"""
LEFT_OUT = ".*", "bench", "dist", "docs", "submitted", "feedback"


def collected(program: list[str], folder: Path, **variables: str) -> list[str]:
    process = subprocess.run(
        [sys.executable, *program, "--collect-only", "-q", "-p", "no:cacheprovider"],
        cwd=folder,
        env={"PATH": os.environ["PATH"]} | variables,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert process.returncode == 0, process.stdout[-2000:] + process.stderr[-2000:]
    return [line for line in process.stdout.splitlines() if "::" in line]


@pytest.mark.slow
def test_ids_do_not_depend_on_time_hash_seed_folder_or_computer(
    project: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    nodeids = [item.nodeid for item in request.session.items]
    copy = tmp_path / "another folder"
    left_out = shutil.ignore_patterns(*LEFT_OUT)
    shutil.copytree(project, copy, copy_function=link, ignore=left_out)
    other = {"HOME": str(tmp_path), "TZ": "Pacific/Kiritimati", "LC_ALL": "C"}
    later = collected(["-c", ELSEWHERE], copy, PYTHONHASHSEED="2", **other)
    assert len(later) > 2000
    chosen = {*nodeids}  # all, or those of the files asked for, in order
    assert by_file(test for test in later if test in chosen) == by_file(nodeids)


def by_file(tests: Iterable[str]) -> list[str]:
    """Return tests by their files, those of a file in the order of collection."""
    return sorted(tests, key=lambda test: test.partition("::")[0])
