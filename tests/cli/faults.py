"""Every fault of the gradebook and of the folders, crossed with every command.

Runs as a program in the folder of a graded course, because rights of files do not hold
for root, and says how each command ended: a JSON list of fault, command, status and
complaint.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.programs import run_here

COMMANDS = """\
release
grade --sandbox=weak
collect download
roster class.csv
due 2030-01-01
extend ann --until=2030-01-01
late late.csv
export csv
export term
export feedback
export canvas.csv
""".splitlines()
# They never open the gradebook; `watch` does, and goes on until it is stopped.
OTHERS = [
    "watch",
    "lint",
    "audit",
    "init",
    "new",
    "adopt",
    "doctor",
    "lab",
    "submit",
    "off",
]


def _write(
    path: Path,
    start: int,
    data: bytes,
) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[:start] + data * (len(whole) - start))


def _lock(path: Path) -> sqlite3.Connection:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA locking_mode=EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    other.execute("CREATE TABLE other (a)")
    return other


def _older(path: Path) -> None:
    with closing(sqlite3.connect(path)) as book:
        book.execute("ALTER TABLE grade DROP COLUMN extra_credit")
        book.execute("ALTER TABLE student DROP COLUMN lms_user_id")
        book.commit()


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


BOOK = "gradebook.db"
# fault: what it does to a file of the course, which, and what is said of it
FAULTS: dict[str, tuple[Callable[[Path], Any], str, str]] = {
    "damaged": (lambda path: _write(path, 200, b"U"), BOOK, "is damaged"),
    "another file": (lambda path: _write(path, 0, b"x"), BOOK, "is damaged"),
    "locked whole": (_lock, BOOK, "has locked"),
    "an older schema": (_older, BOOK, "nbgrader db upgrade"),
    "a folder": (_folder, BOOK, "cannot be opened"),
    "not readable": (lambda path: path.chmod(0), BOOK, "cannot be opened"),
    "not writable": (
        lambda path: path.chmod(0o444),
        BOOK,
        "Check the file and its permissions",
    ),
    "feedback": (lambda path: path.chmod(0o555), "feedback", "Correct its permissions"),
    "report": (
        lambda path: path.chmod(0o555),
        "report",
        "no permission to read or write",
    ),
    "the course": (lambda path: path.chmod(0o555), ".", "permission"),
}


def cross(course: Path) -> list[tuple[str, str, int, str]]:
    """Run every command against every fault, each in a copy of the course."""
    from nbproctor import nbgrader
    from nbproctor.nbgrader import speed

    speed.BUSY_MILLISECONDS = 20
    # `release` proves the source first: see tests/nbgrader/test_placement.py.
    nbgrader.lint = nbgrader.differences = lambda *arguments: []
    results = []
    for fault, (happens, name, _) in FAULTS.items():
        for command in COMMANDS:
            if command == "release" and name in ("feedback", "report"):
                continue  # it writes neither, and takes seconds
            copy = shutil.copytree(course, course.with_name("copy"))
            other = happens(copy / name)
            done = run_here(*command.split(), cwd=copy)
            results.append((fault, command, done.returncode, done.stderr))
            if other:
                other.close()
            for folder in (copy, copy / "feedback", copy / "report"):
                folder.chmod(0o755)
            shutil.rmtree(copy)
    return results


if __name__ == "__main__":
    print(json.dumps(cross(Path.cwd())))
