"""Nothing is lost or doubled where a run is stopped, or the disk copied in it.

A term in which every command is killed: tests/cli/test_term.py.
"""

from __future__ import annotations

import random
import shutil
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.crashes import killed_at
from tests.nbgrader.rows import everything
from tests.nbgrader.tiny import HandIn, grade_by_hand, stubs, with_one
from tests.programs import run_here

pytestmark = pytest.mark.slow


def test_a_regrade_that_is_stopped_lowers_no_mark_there_and_in_a_copy(
    course: Path, hand_in: HandIn
) -> None:
    """Its tests ask for more than before, and somebody has graded by hand since.

    The class is right, half right, without an answer, unreadable.
    """
    hand_in("ann")
    hand_in("bob", fizz="def fizz(n):\n    return n")
    hand_in("cem", **stubs(course))
    hand_in("dan").write_text("{ no notebook")
    assert run_here("grade", cwd=course).returncode == 1
    marks = {"manual_score": 2.5, "extra_credit": 0.5}
    grade_by_hand(course, "fizz-multiples", "bob", "dan", **marks)
    with_one(course)
    # Bob's and dan's pages are as they are now.
    assert run_here("grade", cwd=course).returncode == 1
    quiet = shutil.copytree(course, course.with_name("quiet"))
    before = everything(course)
    whole = killed_at(0, "grade", cwd=quiet)
    assert "The earlier mark stays" in whole.stdout
    steps = int(course.with_name("steps").read_text())
    expected = whole.stdout.replace(str(quiet), "")
    assert everything(quiet) == before

    moments = random.Random(18)
    for how in (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP):
        step = moments.randrange(1, steps)
        copy = f"copy a{{b}}c [x] äö {how}"
        killed = killed_at(step, "grade", cwd=course, copy=copy, how=how)
        assert killed.returncode != 0 and killed.stdout != whole.stdout
        assert ("Finished work is saved." in killed.stderr) == (how != signal.SIGKILL)
        assert everything(course) == before
    copies = [*course.parent.glob("copy *")]
    assert len(copies) == 3
    for path in (course, *copies):
        done = run_here("grade", cwd=path)
        assert done.stdout.replace(str(path), "") == expected, done.stderr
        assert everything(path) == before
        with closing(sqlite3.connect(path / "gradebook.db")) as file:
            assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert file.execute("PRAGMA foreign_key_check").fetchall() == []
