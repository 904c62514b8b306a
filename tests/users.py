"""What only root can do: run commands as another user, and read memory."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from nbproctor.sandbox import bubblewrap, policy
from tests import PROJECT
from tests.programs import start, succeeded

# An ordinary user: put before a command, within `in_reach`.
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--")


def in_reach(argv: list[str]) -> list[str]:
    """Return a command that runs `argv` where every user can reach this Python.

    Folders such as /root that only root may enter are replaced by empty ones that hold
    just the interpreter and the project.
    """
    needed = [Path(path) for path in (*policy.interpreter_paths(), PROJECT)]
    above = {folder for path in needed for folder in path.parents}
    closed = {folder for folder in above if not folder.stat().st_mode & 0o001}
    line = ["bwrap", "--cap-add", "ALL", "--dev-bind", "/", "/"]
    for top in closed:
        if not closed & set(top.parents):
            line += ["--perms", "0755", "--tmpfs", str(top)]
    inner = {path for path in needed if closed & set(path.parents)}
    for path in sorted(inner | above):
        if path in inner:
            line += ["--ro-bind", str(path), str(path)]
        elif closed & set(path.parents) and not inner & set(path.parents):
            line += ["--perms", "0755", "--dir", str(path)]
    return [*line, "--", *argv]


def bound_by_rights(*command: str) -> list[str]:
    """Return a command as one to whom the rights of files apply; root passes them."""
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("root may read everything here: there is no setpriv")
        return ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *command]
    return [*command]


def require_other_users() -> None:
    """Skip a test where no command runs as another user."""
    if not shutil.which("setpriv") or bubblewrap.failure():
        pytest.skip("this test needs setpriv and bubblewrap")


def run_tests(
    path: Path,
    words: str = "",
    user: Sequence[str] = NOBODY,
) -> None:
    """Run tests as an ordinary user, or another one; fail if one of them fails.

    `words` choose them by their names, as after ``-k``.
    """
    require_other_users()
    command = [*user, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    with tempfile.TemporaryDirectory() as base:
        Path(base).chmod(0o777)
        command += [f"--basetemp={base}/tests", "-k", words, str(path)]
        done = succeeded(start(*in_reach(command), cwd=PROJECT, HOME=base))
    assert " passed" in done.stdout


def memory_of(pid: int) -> bytes:
    """All that a process has of its own, but for files and the images of the data."""
    parts = []
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            span, rights, _, _, inode, *_ = line.split()
            first, last = (int(number, 16) for number in span.split("-"))
            if rights[0] == "r" and inode == "0" and last - first < 32 << 20:
                try:
                    memory.seek(first)
                    parts.append(memory.read(last - first))
                except (OSError, OverflowError):  # the kernel's own pages
                    continue
    return b"\0".join(parts)
