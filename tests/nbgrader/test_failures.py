"""A failure of the computer stops the run with a sentence, and costs nobody a mark.

Runs that are killed: tests/nbgrader/test_killed.py.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import sys
from concurrent.futures import Future
from pathlib import Path
from unittest.mock import MagicMock, Mock

import pytest
from sqlalchemy.exc import OperationalError

from nbproctor import nbgrader
from nbproctor.engine import EngineError, ExecutionError
from nbproctor.nbgrader import CourseError, speed
from nbproctor.nbgrader.lock import course_lock
from nbproctor.sandbox import bubblewrap
from nbproctor.sandbox.workers import OverdueError
from tests.copies import write_file
from tests.nbgrader.tiny import HandIn, graded, run_nbgrader, totals
from tests.notebooks import read_json
from tests.programs import complaint_of, start, succeeded
from tests.users import bound_by_rights

pytestmark = pytest.mark.slow


def test_of_two_graders_the_second_is_told_who_is_first(
    course: Path, hand_in: HandIn
) -> None:
    """The first one may be killed, too: tests/nbgrader/test_killed.py."""
    hand_in("ann")
    with course_lock(course, "grading 'tiny'"):
        message = run_nbgrader(course, "autograde", "tiny", status=1)
    holder = rf"been grading 'tiny' since .*process {os.getpid()}\)"
    assert re.search(rf"{holder}\. Wait until it has finished", message)
    assert "Traceback" not in message
    assert graded(course)["ann"].score == 10


FULL = """
import json, shutil, sys
from pathlib import Path
from nbproctor import nbgrader

course = shutil.copytree(sys.argv[1], Path(sys.argv[2]) / "course")
filler = course.parent / "filler"

def fill(outcome):
    with open(filler, "wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            pass  # the disk is full

try:
    nbgrader.grade(course, "tiny", progress=fill)
    said = ""
except nbgrader.CourseError as error:
    said = str(error)
filler.unlink()
outcomes = nbgrader.grade(course, "tiny")
print(json.dumps([said, {o.student: o.score for o in outcomes}]))
"""


def test_a_full_disk_ends_the_run_and_loses_nothing(
    project: Path,
    course: Path,
    hand_in: HandIn,
    tmp_path: Path,
) -> None:
    if problem := bubblewrap.failure():
        pytest.skip(f"no small disk can be made here: {problem}")
    for student in ("ann", "bob", "cem"):
        hand_in(student)
    small = tmp_path / "small"
    small.mkdir()
    disk = ["bwrap", "--dev-bind", "/", "/", "--size", str(4 << 20), "--tmpfs"]
    command = [*disk, small, sys.executable, "-c", FULL, course, small]
    done = succeeded(start(*command, cwd=course, PYTHONPATH=str(project)))
    message, scores = json.loads(done.stdout)
    assert "disk is full" in message and "same command again" in message, message
    assert scores == {
        "ann": 10,
        "bob": 10,
        "cem": 10,
    }


def test_a_locked_gradebook_makes_nobody_ungradable(
    course: Path,
    hand_in: HandIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for student in ("ann", "bob", "cem"):
        hand_in(student)
    monkeypatch.setattr(speed, "BUSY_MILLISECONDS", 50)
    other = sqlite3.connect(course / "gradebook.db", isolation_level=None)

    def lock(result: object) -> None:
        other.execute("BEGIN EXCLUSIVE")

    with pytest.raises(CourseError, match=r"Another program has locked.*same command"):
        nbgrader.grade(course, "tiny", progress=lock)
    assert [path.parts[-3] for path in course.rglob("grading.json")] == ["ann"]
    other.close()
    assert {r.status for r in graded(course).values()} == {"graded"}


def test_what_may_not_be_read_is_named_and_everybody_else_is_graded(
    course: Path, hand_in: HandIn
) -> None:
    submitted = course / "submitted"
    modes = {
        "kept/tiny/tiny.ipynb": 0,
        "notebook/tiny/tiny.ipynb": 0,
        "assignment/tiny": 0o644,
        "folder": 0o644,
        "locked": 0,
        "beside/tiny/notes.txt": 0,
        "below/tiny/more": 0,
    }
    for student in {"fine", *(name.partition("/")[0] for name in modes)}:
        hand_in(student)
    graded(course, students=("kept", "fine"))
    (submitted / "beside/tiny/notes.txt").write_text("x")
    (submitted / "below/tiny/more").mkdir()
    for name, mode in modes.items():
        (submitted / name).chmod(mode)
    command = [sys.executable, "-m", "nbproctor", "grade", "--sandbox=weak"]
    done = start(*bound_by_rights(*command), cwd=course)
    for name in modes:
        (submitted / name).chmod(0o755)
    named = "assignment; folder; locked; notebook."
    assert f"Could not be graded: {named}" in complaint_of(done)
    messages = {
        "assignment; folder; locked": "what was submitted",
        "notebook": "'tiny.ipynb'",
        "beside": "'notes.txt'",
        "below": "'more'",
    }
    for students, subject in messages.items():
        assert f"{students}: There is no permission to read {subject}. C" in done.stdout
    assert (
        "kept: stays at 10. With --lower: no mark, There is no permission to read"
        in done.stdout
    )
    assert [result.status for result in graded(course).values()] == ["graded"] * 8


def busy_readers() -> MagicMock:
    """Stand for readers on a computer that does something else."""
    answer = Future[object]()
    answer.set_exception(OverdueError("it was not ready after 60 seconds"))
    readers = MagicMock()
    readers.return_value.__enter__.return_value.ask.return_value = answer
    return readers


@pytest.mark.parametrize(
    ("target", "stand_in", "reason"),
    [
        ("nbgrader.autograder.readers", busy_readers(), "busy"),
        (
            "engine.execution.execute",
            Mock(side_effect=ExecutionError("Its execution failed twice.")),
            "Its execution failed twice.",
        ),
    ],
    ids=["busy", "execution"],
)
def test_a_failure_of_the_computer_is_not_the_student_s_for_ever(
    course: Path,
    hand_in: HandIn,
    monkeypatch: pytest.MonkeyPatch,
    target: str,
    stand_in: Mock,
    reason: str,
) -> None:
    hand_in("ann")
    with monkeypatch.context() as patch:
        patch.setattr(f"nbproctor.{target}", stand_in)
        result = graded(course)["ann"]
    assert result.status == "ungradable"
    assert reason in result.reason and "computing" not in result.reason
    assert graded(course)["ann"].score == 10


# Where what fails, and what is said of it.
FAILURES = [
    ("engine.servers._start", EngineError("no layer of it"), "no layer of it"),
    ("nbgrader.prefetch.walk", OSError(24, "Too many open files"), "Too many open"),
    ("nbgrader.prefetch.walk", OSError(30, "Read-only"), "copy the course.*again"),
    ("nbgrader.prefetch.walk", OSError(12, "No memory"), "Close other programs.*again"),
    ("nbgrader.prefetch.walk", OSError(5, "I/O error"), "may be damaged.*again"),
    ("nbgrader.prefetch.walk", OSError(28, "No space"), "disk is full.*command again"),
    ("nbgrader.prefetch.walk", MemoryError(), "too little memory.*same command again"),
    (
        "nbgrader.prefetch.walk",
        OperationalError("SELECT", {}, Exception("disk is full")),
        "Free some space.*same command again",
    ),
]


def test_where_nothing_can_be_executed_or_read_earlier_results_are_kept(
    course: Path,
    hand_in: HandIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hand_in("ann")
    graded(course)
    for target, error, message in FAILURES:
        with (
            monkeypatch.context() as patch,
            pytest.raises(CourseError, match=message) as stopped,
        ):
            patch.setattr(f"nbproctor.{target}", Mock(side_effect=error))
            graded(course, force=True)
        assert "sqlalche" not in str(stopped.value)
        assert (course / "autograded/ann/tiny/tiny.ipynb").exists()
        assert totals(course) == {"ann": 10}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("/".join(["d" * 200] * 7), "bytes; the gradebook's database takes 480"),
        (os.fsdecode(b"\xdcbung"), "cannot be written in this terminal's encoding"),
    ],
)
def test_a_folder_that_no_course_can_be_in_is_said_to_be_one(
    course: Path,
    tmp_path: Path,
    name: str,
    reason: str,
) -> None:
    moved = tmp_path / name
    moved.parent.mkdir(parents=True, exist_ok=True)
    course.rename(moved)
    for command in (nbgrader.grade, nbgrader.scores):
        with pytest.raises(CourseError, match=f"(?s)course.*{reason}"):
            command(moved, "tiny")


def test_what_is_lost_is_made_again_and_nothing_else(
    course: Path,
    hand_in: HandIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hand_in("ann")
    gradebook = course / "gradebook.db"
    empty = gradebook.read_bytes()
    result = course / "autograded/ann/tiny/tiny.ipynb"
    write_file(result, "{")  # half made
    assert graded(course)["ann"].score == 10
    assert read_json(result)["cells"]

    def lose_gradebook() -> None:
        for path in course.glob("gradebook.db*"):
            path.unlink()
        gradebook.write_bytes(empty)
        shutil.rmtree(course / "autograded")

    def lose_mark() -> None:
        with sqlite3.connect(gradebook) as file:
            file.execute("UPDATE grade SET auto_score = NULL WHERE auto_score = 3")

    # Nothing is executed again.
    monkeypatch.setattr("nbproctor.engine.servers._start", Mock(side_effect=OSError))
    for lose in (result.unlink, lose_gradebook, lose_mark):
        lose()
        assert graded(course)["ann"].score == 10
        assert totals(course) == {"ann": 10}
        before = result.stat().st_mtime_ns
        assert graded(course)["ann"].score == 10
        assert result.stat().st_mtime_ns == before
