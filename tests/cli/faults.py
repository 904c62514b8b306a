"""Every fault of the gradebook and of the folders, crossed with every command.

Runs as a program in the folder of a graded course, because rights of files do not hold
for root, and says how each command ended: JSON of fault, command, status and complaint.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from tests.programs import run_here

COMMANDS = """\
release
grade --sandbox=weak
collect canvas.zip
roster canvas.csv
due 2030-01-01
extend aokafor --until=2030-01-01
late late.csv
export csv
export term
export feedback
export canvas.csv
""".splitlines()
# Fault → command → status and complaint.
Endings = dict[str, dict[str, tuple[int, str]]]
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
# Fault, what is said of it, and what SQL in the gradebook, or a shell, does.
TABLE = """\
damaged: is damaged: $ head --bytes=200 gradebook.db > half \
&& yes | head --bytes=90000 | cat half - > gradebook.db
another file: is damaged: $ yes | head --bytes=90000 > gradebook.db
locked whole: has locked: PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE; \
CREATE TABLE other (a)
an older schema: nbgrader db upgrade: ALTER TABLE grade DROP COLUMN extra_credit; \
ALTER TABLE student DROP COLUMN lms_user_id
not readable: cannot be opened: $ chmod 0 gradebook.db
not writable: Check the file and its permissions: $ chmod a-w gradebook.db
feedback: Correct its permissions: $ rm -r feedback/aokafor && chmod a-w feedback
report: no permission to read or write: $ chmod a-w report
the course: permission: $ chmod a-w .
"""
FAULTS = {row.partition(": ")[0]: row.split(": ")[1:] for row in TABLE.splitlines()}


def cross(course: Path) -> Endings:
    """Run every command against every fault, each in a copy of the course."""
    from nbproctor import nbgrader
    from nbproctor.nbgrader import speed

    speed.BUSY_MILLISECONDS = 20
    # `release` proves the source first: see tests/nbgrader/test_placement.py.
    nbgrader.lint = nbgrader.differences = lambda *arguments: []
    endings: Endings = {}
    for fault, (_, action) in FAULTS.items():
        statements, _, shell_command = action.partition("$ ")
        endings[fault] = {}
        for command in COMMANDS:
            if command == "release" and fault in ("feedback", "report"):
                continue  # it writes neither, and takes seconds
            copy = shutil.copytree(course, course.with_name("copy"))
            with closing(sqlite3.connect(copy / "gradebook.db")) as book:
                book.executescript(statements)
                subprocess.run(shell_command, shell=True, cwd=copy, check=True)
                done = run_here(*command.split(), cwd=copy)
            endings[fault][command] = (done.returncode, " ".join(done.stderr.split()))
            subprocess.run(["chmod", "-R", "u+w", copy], check=True)
            shutil.rmtree(copy)
    return endings


if __name__ == "__main__":
    print(json.dumps(cross(Path.cwd())))
