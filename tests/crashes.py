"""Commands that are killed at one of their steps, as by a power cut."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

from tests.programs import run_python

# Runs the command and counts its steps: statements and commits of the gradebook, and
# what changes a file of the course. At one of them it copies the course, as a backup
# or a power cut would find it, and kills itself. A file that it was about to write is
# then empty: it was opened, and nothing has reached the disk.
COMMAND = """
import os, shutil, signal, sys
from pathlib import Path
from sqlalchemy import event
from sqlalchemy.engine import Engine
from nbproctor.cli import main

# Whoever runs the tests may be deaf to these: nohup, a job in the background.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
course, die_at, how, copy = Path.cwd(), *map(int, sys.argv[1:3]), sys.argv[3]
steps, dying = 0, False

def step(*_, emptied=None):
    global steps, dying
    if dying:
        return
    steps += 1
    if steps == die_at:
        dying = True
        try:
            if copy:
                shutil.copytree(course, course.with_name(copy))
        except shutil.Error:
            pass  # another thread has just removed a file
        if emptied and how == signal.SIGKILL:
            open(emptied, "w").close()
        os.kill(os.getpid(), how)

def audit(name, arguments):
    if name == "open":
        changes = arguments[2] & (os.O_WRONLY | os.O_RDWR)
    else:
        changes = name in ("os.rename", "os.remove", "os.rmdir", "os.mkdir")
    if changes and str(arguments[0]).startswith((str(course), ".", "gradebook")):
        is_emptied = name == "open" and arguments[2] & os.O_TRUNC
        step(emptied=arguments[0] if is_emptied else None)

event.listen(Engine, "before_cursor_execute", step)
event.listen(Engine, "commit", step)
sys.addaudithook(audit)
exec(sys.argv[4])
sys.argv[1:] = sys.argv[5:]
try:
    main()
finally:
    Path("../steps").write_text(str(steps))
"""


def killed_at(
    step: int,
    *words: str | Path,
    cwd: Path,
    copy: str = "",
    how: int = signal.SIGKILL,
    before: str = "",
) -> subprocess.CompletedProcess[str]:
    """Run a command; kill it at a step if it gets so far, 0 is at none.

    `before` is a program that is executed first.
    """
    arguments = str(step), str(int(how)), copy, before, *words
    return run_python(COMMAND, *arguments, cwd=cwd, kind="nbproctor")
