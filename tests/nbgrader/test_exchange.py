"""The exchange, in which every student may put what they like, under any name."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path
from unittest.mock import Mock

import pytest

if sys.platform != "linux":
    pytest.skip("there is no exchange elsewhere", allow_module_level=True)

from nbproctor import nbgrader
from nbproctor.nbgrader.watch import BATCH_SIZE, TryResult, Watch
from nbproctor.sandbox import bubblewrap
from tests.broken.cases import write
from tests.nbgrader.test_watch import NOON, WRONG, page
from tests.nbgrader.tiny import (
    book,
    configure,
    graded,
    hand_in,
    run_nbgrader,
    solved,
)
from tests.pages.lab import read_words
from tests.programs import run_here, run_python
from tests.users import run_tests

pytestmark = pytest.mark.slow
IS_ROOT = os.geteuid() == 0
TIME = "2026-03-01 10:00:00.000000 UTC"
ADA = 65531
BOB = 65532  # accounts without a name


class Exchange:
    """An exchange's folder, and what a student can do there without nbgrader."""

    def __init__(self, course: Path, root: Path) -> None:
        self.course = course
        self.inbound = root / "tiny" / "inbound"
        self.pages = root / "tiny" / "feedback"
        configure(course, f"c.Exchange.root = {str(root)!r}")

    def submit(self, student: str, time: str = TIME, **cells: str) -> Path:
        """Submit as nbgrader does, right answers but for some."""
        folder = self.inbound / f"{student}+tiny+{time}+random"
        write(folder, solved(self.course, **cells))
        (folder / "timestamp.txt").write_text(time, errors="replace")
        (folder / "submission_secret.txt").write_text(ascii((student, time)))
        return folder

    def released(self) -> str:
        """Return the words of all that students can fetch."""
        return "".join(map(read_words, self.pages.iterdir()))


@pytest.fixture
def exchange(course: Path, tmp_path: Path) -> Exchange:
    exchange = Exchange(course, tmp_path / "exchange")
    exchange.inbound.mkdir(parents=True)
    exchange.pages.mkdir()
    (tmp_path / "exchange").chmod(0o777)
    return exchange


def watched(
    course: Path,
    looks: int = 2,
    exchange: bool = True,
) -> dict[str, TryResult]:
    """Watch for some looks; return what became of each student, or folder."""
    with Watch(course, "tiny", exchange, weak=True) as watch:
        tries = [each for _ in range(looks) for each in watch.poll(NOON)]
    return {each.student: each for each in tries}


def scores(tries: dict[str, TryResult]) -> dict[str, float | None]:
    return {name: t.result.score for name, t in tries.items() if t.result}


# Names of folders that say nothing that could be true: student, time.
ODD_FOLDERS = [
    ("eve", "tomorrow"),
    (os.fsdecode(b"e\xffve"), TIME),
    ("eve", os.fsdecode(b"2026-\xff")),
    ("*", TIME),
    ("eve", "2026-03-01 10:00 .."),  # a zone that is a file
    ("\x1b]0;x\x07", TIME),
]
TOO_BIG = 10**9  # bytes; a hole in a file takes no room
SOLUTION = "sum(numbers) / len(numbers)"  # stands in the source alone


# Each in the place of a notebook.
LINKS: dict[str, Callable[[Path, Path], object]] = {
    "link": lambda path, source: path.symlink_to(source / path.name),
    "hard link": lambda path, source: path.hardlink_to(source / path.name),
    "folder": lambda path, source: path.with_name("more").symlink_to(source),
}


def test_a_link_in_the_exchange_earns_nothing_and_shows_nothing(
    course: Path,
    exchange: Exchange,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    configure(course, "c.Nbproctor.early_feedback = 'page'")
    assert SOLUTION in (course / "source/tiny/tiny.ipynb").read_text("utf-8")
    for name, link in LINKS.items():
        path = exchange.submit(name) / "tiny.ipynb"
        path.unlink()
        link(path, course / "source/tiny")
    whole = exchange.inbound / f"all of it+tiny+{TIME}+random"
    whole.symlink_to(course / "source/tiny")
    exchange.submit("ada", mean_of=WRONG)
    cheats = {*LINKS, "all of it"}
    # The control: nbgrader's own command follows them all.
    control = shutil.copytree(course, course.with_name("control"))
    configure(
        control,
        "from nbgrader.exchange.default import ExchangeCollect",
        "c.ExchangeFactory.collect = ExchangeCollect",
    )
    run_nbgrader(control, "collect", "tiny")
    stock = {name: result.score for name, result in graded(control).items()}
    assert stock == dict.fromkeys(cheats, 10) | {"ada": 5}
    notebook = control / "submitted/link/tiny/tiny.ipynb"
    assert SOLUTION in notebook.read_text("utf-8")

    for number in range(2):  # in bubblewrap, if it is there; and without
        if number:
            monkeypatch.setattr(bubblewrap, "failure", lambda: "not in this test")
        guarded = shutil.copytree(course, course.with_name(f"course{number}"))
        tries = watched(guarded)
        assert scores(tries)["ada"] == 5
        assert not any(scores(tries).get(name) for name in cheats)
        problems = {name for name, each in tries.items() if "link" in each.problem}
        assert {name.partition("+")[0] for name in problems} == cheats
        assert SOLUTION not in exchange.released()
        assert "5 / 10 points" in exchange.released()
        for path in (guarded / "submitted").rglob("*"):
            assert not path.is_symlink()
            assert not path.is_file() or SOLUTION.encode() not in path.read_bytes()


def test_what_one_student_makes_of_a_folder_stops_nobody_else(
    course: Path, exchange: Exchange
) -> None:
    exchange.submit("zoe", mean_of=WRONG)
    for student, time in ODD_FOLDERS:
        exchange.submit(student, time)
    for hidden in (".", ".."):  # passed over, as all names with a dot in front
        exchange.submit(hidden)
    (exchange.inbound / "eve+tiny+").write_text("a file")
    os.mkfifo(exchange.inbound / f"eve+tiny+{TIME}+pipe")
    (exchange.inbound / f"eve+tiny+{TIME}+link").symlink_to(course)
    # Neither a secret nor a date: nbgrader releases no page to anybody after it.
    by_hand = exchange.submit("bob", mean_of=WRONG)
    (by_hand / "submission_secret.txt").unlink()
    (by_hand / "timestamp.txt").unlink()
    half = exchange.submit("cat")
    (half / "submission_secret.txt").write_bytes(b"\xff")
    (half / "timestamp.txt").unlink()
    (half / "timestamp.txt" / "x").mkdir(parents=True)
    os.truncate(write(exchange.submit("dan"), {}, "big.bin"), TOO_BIG)
    before = {*course.iterdir()}

    tries = watched(course)
    assert scores(tries) == {"zoe": 5}, "only what can be told is executed"
    assert exchange.released().count("1 of 2 exercises pass") == 1
    assert "submission_secret.txt" in tries["bob"].problem
    attempts = [tries[student].tries_today for student in ("zoe", "bob", "cat")]
    assert attempts == [1, 0, 0], "nobody has seen another page"
    assert any("too big" in each.problem for each in tries.values())
    problems = [name for name, each in tries.items() if each.problem]
    assert len(problems) == len(ODD_FOLDERS) + 6
    assert all(name.isprintable() for name in problems), "they stand in a terminal"
    assert {p.name for p in (course / "submitted").iterdir()} == {"zoe", "bob", "cat"}
    added = {path.name for path in course.glob("[!.]*") if path not in before}
    assert added <= {"submitted", "autograded", "feedback"}

    # And the same by nbgrader's own commands, which say so at their end.
    exchange.submit("ada")
    for command, work in ("collect", "submitted"), ("release_feedback", "feedback"):
        message = run_nbgrader(course, command, "tiny", status=1)
        assert "Everything else was done." in message
        assert (course / work / "ada/tiny").exists()
        graded(course)
        nbgrader.feedback(course, "tiny")
    assert "bob" in message and "cat" in message
    assert exchange.released().count("10 / 10 points") == 1
    assert exchange.released().count("5 / 10 points") == 1


def test_watch_ends_with_status_1_where_work_was_not_collected(
    course: Path,
    exchange: Exchange,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = exchange.inbound / "eve+tiny+tomorrow+random"
    monkeypatch.setattr("nbproctor.cli.grading.POLL_SECONDS", 0)
    monkeypatch.setattr(Watch, "is_finished", Mock(side_effect=[False, True] * 2))
    for status in 0, 1:
        done = run_here("watch", "tiny", "--exchange", "--sandbox=weak", cwd=course)
        assert done.returncode == status, done.stdout + done.stderr
        assert (folder.name in done.stdout) == status
        folder.mkdir(exist_ok=True)


def test_what_was_collected_stays_until_a_newer_one_can_be(
    course: Path, exchange: Exchange
) -> None:
    first = exchange.submit("ada", mean_of=WRONG)
    (first / "timestamp.txt").write_text("soon")  # its folder's name has a date
    assert scores(watched(course)) == {"ada": 5}
    collected = course / "submitted/ada/tiny"
    number = collected.stat().st_ino
    newer = exchange.submit("ada", time=TIME.replace("2026", "2027"))
    big = write(newer, {}, "big.bin")
    os.truncate(big, TOO_BIG)
    problems = [each.problem for each in watched(course, looks=4).values()]
    assert problems == ["it is too big: 1,000 of 100 MB"], "said once"
    assert collected.stat().st_ino == number
    big.unlink()
    assert scores(watched(course)) == {"ada": 10}


@pytest.mark.skipif(not IS_ROOT, reason="only root makes files of several users")
def test_nobody_submits_in_another_s_name(course: Path, exchange: Exchange) -> None:
    """The control: with the check of owners switched off, the newer one counts."""
    exchange.submit("daemon", mean_of=WRONG)  # an account of every system
    forged = exchange.submit("daemon", time=TIME.replace("2026", "2027"))
    os.chown(forged, BOB, BOB)
    enrolled = exchange.submit("kim")  # not an account, sent by the account `nobody`
    os.chown(enrolled, 65534, 65534)
    with book(course) as gradebook:
        gradebook.add_student("nobody")
    moved = exchange.submit("ada")
    os.chown(moved, ADA, ADA)  # and in it a notebook of root's, which may be
    other = exchange.submit("bob")
    for path in (other, *other.iterdir()):
        os.chown(path, BOB, BOB)
    os.chown(other / "tiny.ipynb", ADA, ADA)  # a classmate's, moved there
    tries = watched(course)
    assert scores(tries) == {
        "daemon": 5,
        "ada": 10,
        "bob": None,
    }
    assert "the same account" in str([each.problem for each in tries.values()])
    assert sum("the account" in t.problem for t in tries.values()) == 2
    configure(course, "c.ExchangeCollect.check_owner = False")
    assert scores(watched(course)) == {"daemon": 10, "kim": 10}


def a_link_to_a_folder(path: Path) -> None:
    path.symlink_to(path.with_name("other"))
    path.with_name("other").mkdir(exist_ok=True)


# What may be in the way, and in the way of what: of a student's folder, or of a file.
OBSTACLES: dict[str, Callable[[Path], object]] = {
    "file": lambda path: path.write_text("x"),
    "dangling link": lambda path: path.symlink_to("nowhere"),
    "link": a_link_to_a_folder,
    "pipe": os.mkfifo,
    "closed": lambda path: path.mkdir(mode=0),
    "read-only": lambda path: path.mkdir(mode=0o555),
}
PLACES = ["submitted/{}", "submitted/{}/tiny"]
PLACES += ["autograded/{}", "autograded/{}/tiny", "feedback/{}", "feedback/{}/tiny"]


@pytest.mark.skipif(IS_ROOT, reason="no rights are in root's way")
@pytest.mark.parametrize("command", ["grade", "watch"])
def test_what_is_in_the_way_of_one_student_stops_nobody_else_whatever_the_rights(
    course: Path, command: str
) -> None:
    """Of each place and kind of obstacle, one student has it."""
    kinds = [
        *product(PLACES, OBSTACLES.values()),
        ("feedback/{}/tiny/tiny.html", Path.mkdir),
    ]
    obstacles = {}
    for number, (place, make) in enumerate(kinds):
        student = f"s{number}"
        path = obstacles[student] = course / place.format(student)
        if "submitted" not in path.parts:
            hand_in(course, student, mean_of=WRONG)
        path.parent.mkdir(parents=True, exist_ok=True)
        make(path)
    hand_in(course, "zoe", mean_of=WRONG)
    try:
        if command == "grade":
            done = run_python("nbproctor", "grade", "--sandbox=weak", cwd=course)
            assert done.returncode == 1 and "zoe" in done.stdout
            lines = done.stdout
        else:
            configure(course, "c.Nbproctor.early_feedback = 'page'")
            looks = 2 + len(obstacles) // BATCH_SIZE
            tries = watched(course, looks, exchange=False)
            lines = "".join(each.problem for each in tries.values())
    finally:
        for path in obstacles.values():
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o755)
    assert "1" in page(course, "zoe")
    for student, path in obstacles.items():
        has_page = (course / f"feedback/{student}/tiny/tiny.html").is_file()
        is_named = str(path) in "".join(lines.split("\n"))
        if "submitted" not in path.parts:
            assert has_page != is_named, path


@pytest.mark.skipif(not IS_ROOT, reason="only root can become somebody else")
def test_rights_stop_nobody_who_is_an_ordinary_user() -> None:
    run_tests(Path(__file__), "rights")


@pytest.mark.skipif(IS_ROOT, reason="root reads everything")
def test_a_folder_without_rights_stops_nobody(course: Path, exchange: Exchange) -> None:
    exchange.submit("ada")
    closed = exchange.submit("eve")
    closed.chmod(0)
    (exchange.submit("kim") / "timestamp.txt").chmod(0)
    try:
        tries = watched(course)
    finally:
        closed.chmod(0o700)
    assert scores(tries) == {"ada": 10, "kim": 10}
    assert sum("no permission to read" in each.problem for each in tries.values()) == 2
