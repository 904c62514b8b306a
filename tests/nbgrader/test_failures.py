"""A failure of the computer stops the run with a sentence, and costs nobody a mark."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sqlite3
import sys
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from nbproctor import nbgrader
from nbproctor.nbgrader import CourseError, speed
from nbproctor.nbgrader.failures import ComputerError, as_computer_error
from nbproctor.nbgrader.lock import course_lock
from nbproctor.sandbox.workers import OverdueError
from tests.nbgrader.tiny import HandIn, graded, run_nbgrader
from tests.programs import start
from tests.users import bound_by_rights

pytestmark = pytest.mark.slow


@contextlib.contextmanager
def somebody_else(course: Path) -> Iterator[None]:
    """Hold the lock of a course in another process, which is then killed."""
    reading, writing = os.pipe()
    if not (pid := os.fork()):
        with contextlib.suppress(BaseException), course_lock(course, "grading 'tiny'"):
            os.write(writing, b"locked")
            signal.pause()
        os._exit(1)
    os.close(writing)
    try:
        assert os.read(reading, 6) == b"locked"
        yield
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(reading)


def test_of_two_graders_the_second_is_told_who_is_first_until_that_is_killed(
    course: Path, hand_in: HandIn
) -> None:
    hand_in("ann")
    with somebody_else(course):
        with pytest.raises(CourseError, match=r"been grading 'tiny' since .*process"):
            nbgrader.grade(course, "tiny")
        message = run_nbgrader(course, "autograde", "tiny", status=1)
        assert "Wait until it has finished" in message
        assert "Traceback" not in message
    assert graded(course)["ann"].score == 10


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
    with pytest.raises(CourseError, match="Another program has locked"):
        nbgrader.grade(course, "tiny")  # now it is locked from the start
    other.execute("ROLLBACK")
    other.close()
    assert {r.status for r in graded(course).values()} == {"graded"}


def test_what_may_not_be_read_is_named_and_everybody_else_is_graded(
    course: Path, hand_in: HandIn
) -> None:
    before = ("kept", "fine")
    others = ("notebook", "assignment", "folder", "locked", "beside", "below")
    for student in (*before, *others):
        hand_in(student)
    graded(course, students=before)
    submitted = course / "submitted"
    (submitted / "beside/tiny/notes.txt").write_text("x")
    (submitted / "below/tiny/more").mkdir()
    closed = ["kept/tiny/tiny.ipynb", "notebook/tiny/tiny.ipynb", "assignment/tiny"]
    closed += ["folder", "locked", "beside/tiny/notes.txt", "below/tiny/more"]
    for name in closed:
        (submitted / name).chmod(0o644 if name in ("folder", "assignment/tiny") else 0)
    command = [sys.executable, "-m", "nbproctor", "grade", "--sandbox=weak"]
    done = start(*bound_by_rights(*command), cwd=course)
    for name in closed:
        (submitted / name).chmod(0o755)
    assert done.returncode == 1, done.stderr
    assert "Could not be graded: assignment; folder; locked; notebook." in done.stderr
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
    results = {name: r.status for name, r in graded(course).items()}
    assert results == dict.fromkeys(results, "graded") and len(results) == 8


class BusyReaders(contextlib.nullcontext["BusyReaders"]):
    """Stand for readers on a computer that does something else."""

    def __init__(self, *_: object) -> None:
        super().__init__(self)

    def ask(self, _: object) -> Future[object]:
        answer: Future[object] = Future()
        answer.set_exception(OverdueError("it was not ready after 60 seconds"))
        return answer


def test_a_busy_computer_is_not_said_of_a_submission(
    course: Path,
    hand_in: HandIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hand_in("ada")
    with monkeypatch.context() as patch:
        patch.setattr("nbproctor.nbgrader.autograder.readers", BusyReaders)
        result = graded(course)["ada"]
    assert result.status == "ungradable"
    assert "busy" in result.reason and "computing" not in result.reason
    assert graded(course)["ada"].status == "graded"


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
    with pytest.raises(CourseError, match=reason) as caught:
        nbgrader.grade(moved, "tiny")
    assert "course" in str(caught.value) and "ada" not in str(caught.value)
    with pytest.raises(CourseError, match=reason):
        nbgrader.scores(moved, "tiny")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError(errno.EROFS, "Read-only file system", "x"), "cannot be written"),
        (MemoryError(), "too little memory"),
        (OperationalError("SELECT", {}, Exception("disk is full")), "Free some space"),
    ],
)
def test_what_the_computer_does_is_known_by_its_error(
    error: Exception, sentence: str
) -> None:
    computer_error = as_computer_error(error)
    assert isinstance(computer_error, ComputerError)
    assert sentence in str(computer_error)
    assert "same command again" in str(computer_error)
    assert "sqlalche" not in str(computer_error)
