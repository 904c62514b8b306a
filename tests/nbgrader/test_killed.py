"""Nothing is lost or doubled where a run is stopped, or the disk copied in it.

A term in which every command is killed: tests/cli/test_term.py.
"""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import signal
import sqlite3
import subprocess
from pathlib import Path

import pytest

from nbproctor.nbgrader.run import CACHE
from nbproctor.results import FILE
from tests.crashes import killed_at
from tests.nbgrader.rows import everything, rows, url
from tests.nbgrader.tiny import HandIn, Notebook, blank, grade_by_hand, with_one
from tests.programs import run_here

pytestmark = pytest.mark.slow


def command(
    course: Path,
    die_at: int = 0,
    copy: str = "",
    how: int = signal.SIGKILL,
) -> subprocess.CompletedProcess[str]:
    return killed_at(
        die_at,
        "grade",
        cwd=course,
        copy=copy,
        how=how,
    )


def earned(course: Path) -> list[str]:
    """Return all that the class earned and was told."""
    with contextlib.closing(sqlite3.connect(course / "gradebook.db")) as file:
        assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert file.execute("PRAGMA foreign_key_check").fetchall() == []
    records: list[tuple[object, ...]] = [*rows(url(course)).items()]
    for path in course.glob(f"autograded/*/tiny/{FILE}"):
        report = json.loads(path.read_text("utf-8"))
        report |= {"seconds": None, "graded": None}
        records.append((path.parts[-3], json.dumps(report, sort_keys=True)))
    records += [(p.parts[-3], p.name) for p in course.glob("feedback/*/tiny/*")]
    return sorted(map(repr, records))


@pytest.fixture
def class_of(
    course: Path,
    hand_in: HandIn,
    release: Notebook,
) -> Path:
    """A class: right, half right, without an answer, unreadable."""
    hand_in("ann")
    hand_in("bob", fizz="def fizz(n):\n    return n")
    hand_in("cem", fizz=blank(release, "fizz"), mean_of=blank(release, "mean_of"))
    folder = course / "submitted" / "dan" / "tiny"
    folder.mkdir(parents=True)
    (folder / "tiny.ipynb").write_text("{ no notebook")
    return course


def test_a_copy_of_the_disk_taken_in_a_run_is_graded_as_if_there_was_none(
    class_of: Path,
) -> None:
    course = shutil.copytree(class_of, class_of.with_name("a{b}c [x] äö"))
    whole = command(class_of)
    assert whole.returncode == 1, whole.stderr  # dan's file is not a notebook
    steps = int(class_of.with_name("steps").read_text())
    killed = command(course, round(0.42 * steps), "copy")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    copy = course.with_name("copy")
    assert [*copy.glob(f"{CACHE}/??/*")]
    done = run_here("grade", cwd=copy)
    assert done.returncode == 1, done.stderr
    assert str(copy / "feedback") in done.stdout
    assert earned(copy) == earned(class_of)


def test_a_regrade_that_is_stopped_lowers_no_mark(
    class_of: Path, hand_in: HandIn
) -> None:
    """Its tests ask for more than before, and somebody has graded by hand since."""
    course = shutil.copytree(class_of, class_of.with_name("stopped"))
    assert run_here("grade", cwd=course).returncode == 1
    marks = {"manual_score": 2.5, "extra_credit": 0.5}
    grade_by_hand(course, "fizz-multiples", "bob", "dan", **marks)
    with_one(course)
    # Bob's and dan's pages are as they are now.
    assert run_here("grade", cwd=course).returncode == 1
    quiet = shutil.copytree(course, course.with_name("quiet"))
    before = everything(course)
    whole = command(quiet)
    assert "The earlier mark stays" in whole.stdout
    steps = int(course.with_name("steps").read_text())
    expected = whole.stdout.replace(str(quiet), "")
    assert everything(quiet) == before

    moments = random.Random(18)
    for how in (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP):
        killed = command(course, moments.randrange(1, steps), how=how)
        assert killed.returncode != 0 and killed.stdout != whole.stdout
        stands = "Finished work is saved."
        assert (stands in killed.stderr) == (how != signal.SIGKILL)
        assert everything(course) == before
    done = run_here("grade", cwd=course)
    assert done.stdout.replace(str(course), "") == expected, done.stderr
    assert earned(course) == earned(quiet)
    assert everything(course) == before
