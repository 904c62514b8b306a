"""Grading again: new submissions, interruptions, and what changed since."""

import json
import shutil
import sqlite3
import sys
from pathlib import Path

import pytest

from nbproctor import engine, nbgrader
from nbproctor.nbgrader import CourseError
from nbproctor.sandbox import bubblewrap
from tests.nbgrader.tiny import HandIn, configure, graded
from tests.programs import start, succeeded

pytestmark = pytest.mark.slow


def mark_of_ann(course: Path) -> float | None:
    """Grade the class, and return her mark."""
    return graded(course)["ann"].score


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("course_id = 'other'", "'tiny', not to 'other'"),
        ("submitted_directory = 'none'", "none"),
    ],
)
def test_nobody_is_graded_by_another_course_or_folder(
    course: Path,
    hand_in: HandIn,
    option: str,
    message: str,
) -> None:
    hand_in("ann")
    configure(course, f"c.CourseDirectory.{option}")
    with pytest.raises(CourseError, match=message):
        nbgrader.grade(course, "tiny")
    assert not list((course / "autograded").glob("*/tiny"))


# --- interruptions ----------------------------------------------------------------


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


def test_what_is_lost_is_made_again_and_nothing_else(
    course: Path,
    hand_in: HandIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hand_in("ann")
    empty = (course / "gradebook.db").read_bytes()
    result = course / "autograded/ann/tiny/tiny.ipynb"
    result.parent.mkdir(parents=True)
    result.write_text("{")  # half made
    assert mark_of_ann(course) == 10
    assert json.loads(result.read_text())["cells"]
    result.unlink()
    assert mark_of_ann(course) == 10
    before = result.stat().st_mtime_ns
    with monkeypatch.context() as patch:
        patch.setattr("nbproctor.engine.servers._start", lambda *_: pytest.fail())
        assert mark_of_ann(course) == 10
        assert result.stat().st_mtime_ns == before
        for path in course.glob("gradebook.db*"):
            path.unlink()
        (course / "gradebook.db").write_bytes(empty)
        shutil.rmtree(course / "autograded")
        assert mark_of_ann(course) == 10
    before = result.stat().st_mtime_ns
    with sqlite3.connect(course / "gradebook.db") as connection:
        connection.execute("UPDATE grade SET auto_score = NULL WHERE auto_score = 3")
    assert mark_of_ann(course) == 10
    assert nbgrader.scores(course, "tiny").loc["ann", "total"] == 10
    assert result.stat().st_mtime_ns != before


def test_a_failure_of_the_computer_is_not_the_student_s_for_ever(
    course: Path,
    hand_in: HandIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> None:
        raise engine.ExecutionError("Its execution failed twice: no memory.")

    hand_in("ann")
    with monkeypatch.context() as broken:
        broken.setattr("nbproctor.engine.execution.execute", fail)
        assert graded(course)["ann"].status == "ungradable"
    assert mark_of_ann(course) == 10


@pytest.mark.parametrize(
    ("where", "error"),
    [
        ("engine.servers._start", engine.EngineError("no layer of the sandbox")),
        ("nbgrader.prefetch.walk", OSError(24, "Too many open files")),
    ],
)
def test_where_nothing_can_be_executed_or_read_earlier_results_are_kept(
    course: Path,
    hand_in: HandIn,
    monkeypatch: pytest.MonkeyPatch,
    where: str,
    error: Exception,
) -> None:
    def fail(*_: object) -> None:
        raise error

    hand_in("ann")
    graded(course)
    monkeypatch.setattr(f"nbproctor.{where}", fail)
    with pytest.raises(CourseError, match=str(error.args[-1])):
        graded(course, force=True)
    assert (course / "autograded/ann/tiny/tiny.ipynb").exists()
    assert nbgrader.scores(course, "tiny").loc["ann", "total"] == 10
