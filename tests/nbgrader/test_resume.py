"""A run that was killed goes on where it stopped: nothing is executed twice."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from nbproctor.nbgrader.run import CACHE
from nbproctor.sandbox.forkserver import ForkServer
from tests.nbgrader.rows import graded_files, rows, url
from tests.nbgrader.tiny import HandIn, graded, killed

pytestmark = pytest.mark.slow
STUDENTS = [f"s{number:02}" for number in range(6)]


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A number for each execution in this process."""
    found: list[int] = []
    run = ForkServer.run

    def counted(self: ForkServer, job: bytes, timeout: float) -> bytes:
        found.append(len(job))
        return run(self, job, timeout)

    monkeypatch.setattr(ForkServer, "run", counted)
    return found


@pytest.fixture
def the_class(course: Path, hand_in: HandIn) -> Path:
    """Six students, all with another text, some of them wrong in some way."""
    for number, student in enumerate(STUDENTS):
        fizz = f"def fizz(n):  # {student}\n    return 'fizz' if n % 3 == 0 else str(n)"
        if number % 4 == 1:
            fizz = f"def fizz(n):\n    return {student!r}"
        hand_in(student, fizz=fizz)
    (course / "submitted/s04/tiny/tiny.ipynb").write_text("{")  # ungradable
    return course


def test_nothing_that_was_finished_is_executed_again_but_by_force(
    the_class: Path, tmp_path: Path, runs: list[int]
) -> None:
    """After a kill, and when the gradebook is lost."""
    course = the_class
    empty = (course / "gradebook.db").read_bytes()
    quiet = Path(shutil.copytree(course, tmp_path / "quiet"))
    graded(quiet)
    wanted = rows(url(quiet)), graded_files(quiet)
    all_of_them = len(runs)
    assert all_of_them >= len(STUDENTS) - 1
    runs.clear()

    killed(course, 2)
    finished = len(list((course / CACHE).glob("??/*")))
    assert finished >= 2
    done = {path.parts[-3] for path in course.glob("autograded/*/tiny/grading.json")}
    assert len(done) < len(STUDENTS)
    graded(course)
    assert len(runs) == all_of_them - finished
    assert (rows(url(course)), graded_files(course)) == wanted

    for name in ("gradebook.db-wal", "gradebook.db-shm"):
        (course / name).unlink(missing_ok=True)
    (course / "gradebook.db").write_bytes(empty)
    shutil.rmtree(course / "autograded")
    runs.clear()
    graded(course)
    assert not runs
    assert (rows(url(course)), graded_files(course)) == wanted
    graded(course, force=True, students=["s00"])
    assert len(runs) == 1
