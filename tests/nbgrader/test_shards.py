"""Shards and their merge: the same gradebook as one undivided run."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nbproctor import nbgrader
from nbproctor.nbgrader import CourseError, Shard
from nbproctor.nbgrader.run import CACHE
from nbproctor.sandbox.forkserver import ForkServer
from tests.nbgrader.rows import graded_files, rows, url
from tests.nbgrader.tiny import HandIn, configure, graded
from tests.programs import run_python
from tests.timing import patience

pytestmark = pytest.mark.slow
STUDENTS = ["ana", "ben", "cem", "dĕa", "eva", "finn", "gil", "hal"]


@pytest.fixture
def a_class(course: Path, hand_in: HandIn) -> Path:
    """Right, wrong, hanging, unreadable; one name is not ASCII."""
    for student in STUDENTS:
        hand_in(student, fizz=f"def fizz(n):  # {student}\n    return str(n)")
    hand_in("ana", mean_of="def mean_of(numbers):\n    while True: pass")
    (course / "submitted/ben/tiny/tiny.ipynb").write_text("{")
    configure(course, f"c.Nbproctor.call_seconds = {1 * patience()}")
    return course


def no_execution(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a merge executes nothing")

    monkeypatch.setattr(ForkServer, "start", refuse)


def test_every_student_is_in_exactly_one_shard() -> None:
    for count in (1, 2, 16, 1000):
        shards = [Shard(number, count) for number in range(1, count + 1)]
        for student in STUDENTS:
            assert sum(shard.has(student) for shard in shards) == 1
    sizes = [0] * 16
    for number in range(16_000):
        (found,) = [n for n in range(16) if Shard(n + 1, 16).has(f"s{number}")]
        sizes[found] += 1
    # Mean 1,000, standard deviation 31: five of them either way.
    assert min(sizes) > 850 and max(sizes) < 1150


@pytest.mark.parametrize("text", ["", "3", "0/4", "5/4", "-1/4", "1/0", "a/b", "1/4 "])
def test_what_is_no_shard_is_said(text: str) -> None:
    with pytest.raises(CourseError, match="third of sixteen"):
        Shard.parse(text)


def test_a_merge_gives_the_gradebook_of_an_undivided_run(
    a_class: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Path(shutil.copytree(a_class, tmp_path / "whole"))
    undivided = graded(whole)

    ended: dict[str, str] = {}
    for number in (1, 2, 3):  # on computers of their own: no gradebook, no common disk
        there = Path(shutil.copytree(a_class, tmp_path / f"machine{number}"))
        (there / "gradebook.db").unlink()
        ended |= nbgrader.grade_shard(there, "tiny", Shard(number, 3))
        assert not (there / "gradebook.db").exists()
        shutil.copytree(there / CACHE, a_class / CACHE, dirs_exist_ok=True)
    assert sorted(ended) == sorted(STUDENTS)
    assert [student for student, reason in ended.items() if reason] == ["ben"]

    no_execution(monkeypatch)
    merged = graded(a_class, merging=True)
    assert {s: (r.status, r.score, r.reason) for s, r in merged.items()} == {
        s: (r.status, r.score, r.reason) for s, r in undivided.items()
    }
    assert rows(url(a_class)) == rows(url(whole))
    assert graded_files(a_class) == graded_files(whole)


def test_a_merge_without_a_shard_names_who_lacks_and_writes_no_mark_for_them(
    a_class: Path,
) -> None:
    nbgrader.grade_shard(a_class, "tiny", Shard(1, 2))
    lacking = [s for s in STUDENTS if Shard(2, 2).has(s) and s != "ben"]
    assert lacking
    with pytest.raises(CourseError, match="No shard has graded") as caught:
        graded(a_class, merging=True)
    assert all(student in str(caught.value) for student in lacking)
    submitted = {key[1] for key in rows(url(a_class)) if key[0] == "submission"}
    assert submitted == {*STUDENTS} - {*lacking}
    nbgrader.grade_shard(a_class, "tiny", Shard(2, 2))
    assert graded(a_class, merging=True).keys() >= {*lacking}


def test_a_shard_executes_nothing_twice_and_what_has_changed_since_is_not_merged(
    a_class: Path, hand_in: HandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = nbgrader.grade_shard(a_class, "tiny", Shard(1, 1))
    monkeypatch.setattr(ForkServer, "run", None)
    assert nbgrader.grade_shard(a_class, "tiny", Shard(1, 1)) == first
    hand_in("eva", fizz="def fizz(n):\n    return 'another'")
    with pytest.raises(CourseError, match="has graded eva as handed in now"):
        graded(a_class, merging=True)


def test_the_commands(a_class: Path) -> None:
    def run(*arguments: str) -> str:
        done = run_python("nbproctor", *arguments, cwd=a_class)
        assert done.returncode == 1, done.stderr
        assert done.stderr == "Not graded: ben. The reasons stand above.\n"
        return done.stdout

    running = [
        subprocess.Popen(
            [sys.executable, "-m", "nbproctor", "grade", "--shard", f"{number}/2"],
            cwd=a_class,
        )
        for number in (1, 2)  # at the same time, on one disk
    ]
    assert [process.wait(120) for process in running] == [0, 0]
    table = run("merge")
    assert "ben" in table and "dĕa" in table
    assert "Feedback pages" in table
