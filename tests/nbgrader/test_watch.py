"""Feedback before the deadline: what students get, how often, and until when."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from unittest.mock import Mock

import pytest

from nbproctor.nbgrader.feedback import feedback
from nbproctor.nbgrader.tries import TRIES
from nbproctor.nbgrader.watch import TryResult, Watch
from nbproctor.platforms import local_time, write_time
from nbproctor.sandbox.forkserver import ForkServer, JudgeTimeoutError
from tests.nbgrader.tiny import (
    HandIn,
    book,
    configure,
    graded,
    statuses,
)
from tests.pages.lab import read_words
from tests.programs import run_here

pytestmark = pytest.mark.slow

NOON = datetime(2026, 3, 2, 12)
WRONG = "def mean_of(numbers):\n    return 0.5"


def looks(watch: Watch, at: datetime = NOON) -> list[TryResult]:
    """Look twice: only then is a file known to be complete."""
    return [*watch.poll(at), *watch.poll(at)]


_WATCHES = contextlib.ExitStack()


@pytest.fixture(autouse=True)
def all_watches_end() -> Iterator[None]:
    with _WATCHES:
        yield


def watching(course: Path, exchange: bool = False) -> Watch:
    return _WATCHES.enter_context(Watch(course, "tiny", exchange, weak=True))


def page(course: Path, student: str = "ada") -> str:
    return read_words(course / f"feedback/{student}/tiny/tiny.html")


def test_a_student_is_told_which_exercises_pass_and_no_more(
    course: Path, hand_in: HandIn
) -> None:
    hand_in("ada", mean_of=WRONG)
    hand_in("kim").write_text("{")  # which stops nobody
    tries = {each.student: each.result for each in looks(watching(course))}
    assert statuses(tries) == {"ada": ("graded", 5), "kim": ("ungradable", None)}
    assert "could not be graded" in page(course, "kim")
    shown = page(course)
    assert "1 of 2 exercises pass" in shown
    assert shown.count("does not pass yet") == shown.count("✓ passes") == 1
    for verdict in tries["ada"].verdicts["tiny"]:
        assert not verdict.message or verdict.message not in shown
        assert verdict.cell_id not in shown
    hand_in("ada", mean_of="def mean_of(numbers):\n    open('/etc/shadow')")
    results = {each.student: each.result for each in looks(watching(course))}
    assert "not allow" in str(results["ada"].notes)
    assert "not allow" not in page(course)  # at which line: more than one bit


def test_what_is_still_being_written_waits_and_nothing_is_tried_twice(
    course: Path, hand_in: HandIn
) -> None:
    watch = watching(course)
    path = hand_in("ada")
    assert watch.poll(NOON) == []
    path.write_text(path.read_text() + "\n")
    assert watch.poll(NOON) == []
    (tried,) = watch.poll(NOON)
    assert (tried.student, tried.tries_today) == ("ada", 1)
    write_time(path.parent, datetime(2026, 3, 1, 12))  # beside the same files
    assert looks(watch) == looks(watching(course)) == []


def test_the_tries_of_a_day_are_counted_after_a_kill_and_an_update_too(
    course: Path, hand_in: HandIn
) -> None:
    configure(course, "c.Nbproctor.early_tries = 2")
    watching(course)  # which makes the table
    row = {
        "assignment": "tiny",
        "files": "",  # an earlier version recorded the answer
        "student": "ada",
        "exercise": "tiny fizz",
        "answer": "0" * 64,
        "passes": True,
        "given": NOON - timedelta(minutes=1),
    }
    with book(course) as gradebook:
        gradebook.db.execute(TRIES.insert().values(row))
        gradebook.db.commit()
    hand_in("ada", mean_of=WRONG)
    (tried,) = looks(watching(course))  # a new one: the last one was killed
    assert tried.result
    assert tried.tries_today == 2
    hand_in("ada")
    for watch in watching(course), watching(course):
        (tried,) = looks(watch)
        assert (tried.result, tried.tries_today) == (None, 2)
        assert "You have no tries left today" in page(course)
        assert "1 of 2 exercises pass" in page(course)  # as it was told last
        assert looks(watch) == []  # said once
    (tried,) = watch.poll(NOON + timedelta(days=1))
    assert tried.result and tried.tries_today == 1
    assert "2 of 2 exercises pass" in page(course)
    hand_in("ada").write_text("cut short")
    (tried,) = looks(watching(course), NOON + timedelta(days=1))
    assert tried.result and tried.result.status == "ungradable"
    assert tried.tries_today == 2


def test_an_execution_that_fails_is_a_try(
    course: Path,
    hand_in: HandIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An answer that can make its judge fail would have as many as it likes."""
    configure(course, "c.Nbproctor.early_tries = 1")
    hand_in("ada")
    watch = watching(course)
    with monkeypatch.context() as patch:
        patch.setattr(ForkServer, "run", Mock(side_effect=JudgeTimeoutError("none")))
        (tried,) = looks(watch)
    assert tried.result and tried.result.status == "ungradable"
    assert tried.tries_today == 1
    assert "could not be graded" in page(course)
    hand_in("ada", mean_of=WRONG)
    (tried,) = looks(watch)
    assert (tried.result, tried.problem) == (None, "")


def test_after_the_deadline_marks_and_pages_stay(course: Path, hand_in: HandIn) -> None:
    hand_in("ada", mean_of=WRONG)
    hand_in("kim", mean_of=WRONG)
    watch = watching(course)
    looks(watch)
    with book(course) as gradebook:
        gradebook.update_or_create_assignment("tiny", duedate=NOON)
        gradebook.find_submission("tiny", "kim").extension = timedelta(hours=2)
        gradebook.db.commit()
    before = page(course)
    hand_in("ada")
    hand_in("kim")
    late, tried = looks(watch, NOON + timedelta(hours=1))
    assert (late.student, late.late, late.result) == ("ada", True, None)
    assert (tried.student, tried.late) == ("kim", False)
    assert not watch.is_finished(NOON + timedelta(hours=2))
    assert watch.is_finished(NOON + timedelta(hours=3))
    assert page(course) == before
    assert "2 of 2" in page(course, "kim")
    results = graded(course)  # the teacher's own command takes what is there
    assert results["ada"].score == results["kim"].score == 10


def test_early_feedback_stands_above_the_finished_page_and_tries_below_it(
    course: Path, hand_in: HandIn
) -> None:
    for number, minutes in enumerate((0, 5)):
        hand_in("ada", mean_of=f"{WRONG}  # {number}")
        looks(watching(course), NOON + timedelta(minutes=minutes))
    assert "Earlier tries" in page(course)
    graded(course)
    feedback(course, "tiny")
    finished = page(course)
    assert finished.index("5 / 10 points") < finished.index("Tries before the deadline")
    later, earlier = (local_time(NOON + timedelta(minutes=m)) for m in (5, 0))
    assert finished.index(later) < finished.index(earlier)

    # Somebody has more time, and submits again: the finished page stays below.
    hand_in("ada")
    for _ in range(2):  # once more after a kill
        looks(watching(course), NOON + timedelta(days=1))
        shown = page(course)
        assert shown.count("2 of 2 exercises pass") == 1
        assert shown.index("2 of 2 exercises pass") < shown.index("5 / 10 points")
    path = course / "feedback/ada/tiny/tiny.html"
    assert path.read_text("utf-8").count("<h1>") == 2


def test_where_the_teacher_says_so_nothing_is_given_back(
    course: Path, hand_in: HandIn
) -> None:
    """A whole page is given in tests/nbgrader/test_exchange.py."""
    configure(course, "c.Nbproctor.early_feedback = 'nothing'")
    hand_in("ada", mean_of=WRONG)
    (tried,) = looks(watching(course))
    assert tried.result and tried.result.score == 5
    assert tried.tries_today == 0
    assert not (course / "feedback").exists()


# The command, which looks more often than every two seconds.
WATCH = "from nbproctor.cli import grading, main; grading.POLL_SECONDS = 0.1; main()"


def test_two_commands_exclude_each_other_and_each_ends_by_ctrl_c(
    course: Path, hand_in: HandIn, project: Path
) -> None:
    """Commands that are killed are in tests/cli/test_term.py."""
    hand_in("ada")
    first = subprocess.Popen(
        [sys.executable, "-c", WATCH, "watch", "--sandbox", "weak"],
        cwd=course,
        env=os.environ | {"PYTHONPATH": str(project)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    _WATCHES.enter_context(first)
    _WATCHES.callback(first.kill)
    lines = first.stdout
    assert lines
    assert lines.readline() == "Watching tiny. To stop, press Ctrl-C.\n"
    second = run_here("watch", "--sandbox", "weak", cwd=course)
    assert second.returncode == 1
    assert "has been watching 'tiny' since" in second.stderr
    assert "10 of 10, graded. Try 1 today." in lines.readline()
    # Python ignores what a signal raises while it cleans up, so press Ctrl-C again.
    for _ in range(6):
        first.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            first.wait(10)
            break
    assert first.returncode == 130
    assert "run the same command again" in lines.read()
