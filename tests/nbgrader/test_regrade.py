"""Grading again: changed tests, marks given by hand, late penalties."""

import csv
import os
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from math import isnan
from pathlib import Path
from typing import Any

import pytest

from nbproctor import nbgrader
from nbproctor.cli.class_run import change_lines
from nbproctor.nbgrader import MarkChange, RunOptions, decision
from nbproctor.nbgrader.feedback import report
from nbproctor.platforms import Person
from nbproctor.results import SubmissionResult
from tests.nbgrader.rows import everything
from tests.nbgrader.tiny import (
    book,
    configure,
    hand_in,
    totals,
    with_one,
    without_zero,
)
from tests.programs import run_here

pytestmark = pytest.mark.slow
ODD = "def fizz(n):\n    return 'fizz' if n and n % 3 == 0 else str(n)"


@pytest.fixture
def ungraded(template: Path, tmp_path: Path) -> Path:
    return handed_in(template, tmp_path / "course")


def handed_in(template: Path, folder: Path) -> Path:
    """Make a course with two students: one is right, one is wrong about fizz(0)."""
    course = Path(shutil.copytree(template, folder))
    hand_in(course, "right")
    hand_in(course, "odd", fizz=ODD)
    return course


@pytest.fixture(scope="module")
def graded(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, graded once for all tests."""
    course = handed_in(template, tmp_path_factory.mktemp("graded") / "course")
    assert again(course) == []  # first marks are no changes
    assert totals(course) == {"odd": 7, "right": 10}
    return course


@pytest.fixture(scope="module")
def asked_more(graded: Path) -> Path:
    """And then its tests have asked for more than before, which lowered nothing."""
    course = Path(shutil.copytree(graded, graded.with_name("harder")))
    with_one(course)
    again(course)
    assert everything(course) == everything(graded)
    return course


@pytest.fixture
def course(graded: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(graded, tmp_path / "course"))


@pytest.fixture
def harder(asked_more: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(asked_more, tmp_path / "harder"))


def run_command(course: Path, *arguments: str) -> tuple[int, str]:
    """Run a command; return its status and what it complains of."""
    done = run_here(*arguments, cwd=course)
    return done.returncode, done.stderr


def again(course: Path, **options: Any) -> list[MarkChange]:
    return nbgrader.regrade(course, "tiny", options=RunOptions(**options))[1]


def test_who_gains_by_a_corrected_test_is_told_with_how_much(course: Path) -> None:
    without_zero(course)
    results, changes = nbgrader.regrade(
        course, "tiny", options=RunOptions(students=["right"])
    )
    assert ([r.student for r in results], changes) == (["right"], [])
    assert totals(course)["odd"] == 7  # one student alone was graded
    changes = again(course)
    assert changes == [MarkChange("odd", 7.0, 10.0, "graded again", False)]
    assert change_lines(changes, {"odd": "Odd, O."}, ["odd", "right"]) == [
        "1 mark changed:",
        "  Odd, O.: 7 → 10 (+3), graded again",
        "    fizz-multiples: 0 → 3",
        "right: no earlier mark has changed.",
    ]
    assert again(course) == []


def test_a_lower_mark_for_the_same_files_needs_a_flag(harder: Path) -> None:
    before = everything(harder)
    # It is asked again, until somebody says what is meant.
    results, changes = nbgrader.regrade(harder, "tiny")
    assert changes == [
        MarkChange("odd", 7.0, 5.0, "graded again", True),
        MarkChange("right", 10.0, 8.0, "graded again", True),
    ]
    assert everything(harder) == before
    assert [r.score for r in results] == [7, 10]
    assert "Nothing was lowered" in change_lines(changes, {})[0]
    changes = again(harder, lower=True)
    assert [change.is_kept for change in changes] == [False, False]
    assert totals(harder) == {"odd": 5, "right": 8}
    assert again(harder) == []


def test_a_lower_mark_for_other_files_needs_none_and_the_student_is_told(
    course: Path,
) -> None:
    def since() -> str:
        (result,) = nbgrader.regrade(course, "tiny", options=RunOptions({"right"}))[0]
        return result.since.get("tiny", "").removeprefix("Since your last submission: ")

    hand_in(course, "right", fizz=ODD)
    assert again(course) == [MarkChange("right", 10.0, 7.0, "submitted again", False)]
    assert since() == "−3 in 1 `fizz(n)`."
    hand_in(course, "right", mean_of="def mean_of(n):\n    return sum(n) / len(n)")
    assert since() == (
        "+3 in 1 `fizz(n)`; changed, with the same points: 2 `mean_of(numbers)`."
    )
    nbgrader.feedback(course, "tiny")
    page = course / "feedback/right/tiny/tiny.html"
    assert "+3 in 1 <code>fizz(n)</code>; changed" in page.read_text("utf-8")
    (course / "submitted/right/tiny/tiny.ipynb").touch()
    assert "+3 in 1" in since()  # the same files
    (course / "submitted/right/tiny/notes.txt").touch()
    assert since() == "no answer has changed."
    (course / "submitted/right/tiny/tiny.ipynb").write_text('{"cells": [')
    assert again(course) == [MarkChange("right", 10.0, None, "submitted again", False)]
    waits, comments = read_comments(course)
    assert waits and all("cut short" in str(comment) for comment in comments)
    assert nbgrader.scores(course, "tiny").loc["right"].isna().all()
    assert not (course / "autograded/right/tiny/tiny.ipynb").exists()
    hand_in(course, "right")
    assert again(course) == [MarkChange("right", None, 10.0, "submitted again", False)]
    assert read_comments(course) == (False, [None, None])  # nothing of it is left


def read_comments(course: Path) -> tuple[bool, list[str | None]]:
    """Return whether the first student's work needs a look, and its comments."""
    with book(course) as opened:
        submission = opened.find_submission("tiny", "right")
        comments = [comment.comment for comment in submission.notebooks[0].comments]
        return submission.needs_manual_grade, comments


def test_marks_and_comments_given_by_hand_survive(course: Path) -> None:
    grade_by_hand(course, "odd")
    assert totals(course)["odd"] == 10
    without_zero(course)
    assert again(course) == []  # the teacher's mark stands, whatever the test says
    assert by_hand(course, "odd") == (2.5, 0.5, "Zero is a multiple too.")


def by_hand(course: Path, student: str) -> tuple[object, ...]:
    with book(course) as opened:
        grade = opened.find_grade("fizz-multiples", "tiny", "tiny", student)
        comment = opened.find_comment("fizz", "tiny", "tiny", student)
        return grade.manual_score, grade.extra_credit, comment.manual_comment


def grade_by_hand(course: Path, student: str) -> None:
    with book(course) as opened:
        grade = opened.find_grade("fizz-multiples", "tiny", "tiny", student)
        grade.manual_score = 2.5
        grade.extra_credit = 0.5
        comment = opened.find_comment("fizz", "tiny", "tiny", student)
        comment.manual_comment = "Zero is a multiple too."
        opened.db.commit()


def test_what_was_given_by_hand_outlives_a_time_in_which_nothing_can_be_graded(
    course: Path,
) -> None:
    """As when a cloud drive frees space, and its files are empty until it is asked."""
    grade_by_hand(course, "odd")
    notebook = course / "submitted/odd/tiny/tiny.ipynb"
    content = notebook.read_bytes()
    notebook.write_bytes(b"")
    results, changes = nbgrader.regrade(course, "tiny")
    assert changes == [MarkChange("odd", 10.0, None, "submitted again", False)]
    assert results[0].score is None
    assert results[0].reason.endswith("Marks given by hand stay: fizz-multiples.")
    assert by_hand(course, "odd") == (2.5, 0.5, "Zero is a multiple too.")
    notebook.write_bytes(content)
    assert again(course) == [MarkChange("odd", None, 10.0, "submitted again", False)]
    assert by_hand(course, "odd") == (2.5, 0.5, "Zero is a multiple too.")


@pytest.mark.parametrize("lower", [False, True])
def test_a_mark_that_is_given_while_a_run_is_on_is_not_overwritten(
    harder: Path, lower: bool
) -> None:
    def look_into_formgrader(result: SubmissionResult) -> None:
        grade_by_hand(harder, "right")
        grade_by_hand(harder, "odd")

    nbgrader.regrade(harder, "tiny", look_into_formgrader, RunOptions(lower=lower))
    again(harder, lower=lower)
    assert by_hand(harder, "right") == by_hand(harder, "odd")
    assert by_hand(harder, "odd") == (2.5, 0.5, "Zero is a multiple too.")


def test_nothing_can_be_written_between_what_a_run_reads_and_writes(
    ungraded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = sqlite3.connect(ungraded / "gradebook.db", timeout=0)
    tried = []

    def write(facts: decision.Facts, may_lower: bool) -> decision.Decision:
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("UPDATE grade SET manual_score = 1")
        tried.append(facts.submission)
        return decide(facts, may_lower)

    decide = decision.decide
    monkeypatch.setattr(decision, "decide", write)
    again(ungraded)
    other.close()
    assert len(tried) == 2
    assert totals(ungraded) == {"odd": 7, "right": 10}


# --- due dates, time stamps and penalties: nbgrader's own -------------------------


def test_who_is_late_at_an_unknown_time_is_named_and_so_is_what_to_do(
    ungraded: Path, tmp_path: Path
) -> None:
    """Canvas marks files as late, and does not say when they came."""
    course = ungraded
    configure(course, 'c.LateSubmissionPlugin.penalty_method = "zero"')
    with book(course) as opened:
        opened.update_or_create_assignment("tiny", duedate="2026-11-24 22:00:00 UTC")
    download = tmp_path / "submissions.zip"
    with zipfile.ZipFile(download, "w") as archive:
        for student, name in {"right": "rightann_51", "odd": "oddbo_LATE_52"}.items():
            path = course / "submitted" / student / "tiny/tiny.ipynb"
            archive.write(path, f"{name}_7001_tiny.ipynb")
    (course / "class.csv").write_text('id,name\n51,"Right, Ann"\n52,"Odd, Bo"\n')
    shutil.rmtree(course / "submitted")
    assert (
        run_command(course, "collect", str(download), "tiny", "--roster=class.csv")[0]
        == 0
    )
    grade = ["grade", "tiny", "--sandbox=weak"]
    for command in (grade, ["export", "csv", "tiny"], ["export", "term"]):
        done = run_here(*command, cwd=course)
        assert (
            "Late in tiny, but the platform does not say by how much: Odd, Bo"
            in done.stdout
        )
        assert "They got no late penalty." in done.stdout
        assert "nbproctor late FILE.csv tiny" in done.stdout
    assert totals(course) == {"52": 7, "51": 10}
    (course / "late.csv").write_text("student,time\n52,2026-11-25 00:30\n")
    assert run_command(course, "late", "late.csv", "tiny")[0] == 0
    done = run_here(*grade, "--lower", cwd=course)
    assert "(−7 late)" in done.stdout and "according to" not in done.stdout
    assert totals(course) == {"52": 0, "51": 10}


def test_a_late_penalty_is_nbgraders_own_and_the_table_says_it(ungraded: Path) -> None:
    """As docs/instructors.md describes it, by nbgrader's command and plug-in."""
    course = ungraded
    (course / "late.py").write_text(
        "from nbgrader.plugins import LateSubmissionPlugin\n\n\n"
        "class Half(LateSubmissionPlugin):\n"
        "    def late_submission_penalty(self, student_id, score, late):\n"
        "        return score / 2\n"
    )
    path = "import sys; sys.path.insert(0, '.')"
    configure(course, path, "c.AssignLatePenalties.plugin_class = 'late.Half'")
    stamps = {"right": "2026-11-24 23:30:00 UTC", "odd": "2026-11-24 21:59:59 UTC"}
    hand_in(course, "vague")
    stamps["vague"] = "2026-11-24 tomorrow? UTC"
    for student, stamp in stamps.items():
        (course / f"submitted/{student}/tiny/timestamp.txt").write_text(stamp)
    with book(course) as opened:
        opened.update_or_create_assignment("tiny", duedate="2026-11-24 22:00:00 UTC")
    done = run_here("grade", "tiny", "--sandbox=weak", cwd=course)
    assert done.returncode == 0, done.stderr
    table = nbgrader.class_table(course, "tiny")
    assert table.loc["right", "hours_late"] == 1.5
    assert table.loc["odd", "hours_late"] == table.loc["vague", "hours_late"] == 0
    assert (table.loc["right", "total"], table.loc["odd", "total"]) == (5, 7)
    result = SubmissionResult.read(course / "autograded/right/tiny")
    assert result is not None and result.status == "late"
    assert "Submitted 1.5 hours late." in done.stdout
    assert "(−5 late)" in done.stdout

    # Who was given more time, or handed in earlier than it seemed, is graded again.
    assert run_command(course, "extend", "right", "--until=2026-11-25T00:30+01:00") == (
        0,
        "",
    )
    back = MarkChange("right", 5.0, 10.0, "the late penalty is now 0, not 5", False)
    assert nbgrader.regrade(course, "tiny")[1] == [back]
    times = "student,time\nright,2026-11-25 00:30\nodd,2026-11-24\n"
    (course / "late.csv").write_text(times)
    assert run_command(course, "late", "late.csv", "--timezone=UTC") == (0, "")
    lower = MarkChange("right", 10.0, 5.0, "the late penalty is now 5, not 0", False)
    assert nbgrader.regrade(course, "tiny")[1] == [lower]
    assert nbgrader.class_table(course, "tiny").loc["right", "hours_late"] == 1
    assert run_command(course, "export", "term") == (0, "")
    page = (course / "report/term.html").read_text("utf-8")
    assert "5 of 10" in page and "late, 1.0 hours late" in page
    term = (course / "exported/term.csv").read_text("utf-8-sig")
    rows = csv.DictReader(term.splitlines())
    marks = {row["student"]: (row["tiny"], row["tiny_status"]) for row in rows}
    assert marks["right"] == ("5.0", "late") and marks["odd"] == ("7.0", "graded")

    # Of who is excused no mark is wanted, and nothing is a 0.
    nbgrader.enrol(course, [Person("away", "Way", "Anna")])
    for student in ("Anna Way", "right"):
        assert run_command(course, "extend", student, "--excused") == (0, "")
    results = {each.student: each for each in nbgrader.regrade(course, "tiny")[0]}
    for student in ("away", "right"):
        assert (results[student].status, results[student].score) == ("excused", None)
        row = nbgrader.class_table(course, "tiny").loc[student]
        assert row["status"] == "excused" and isnan(row["total"])
    nbgrader.feedback(course, "tiny")
    report(course, "tiny")
    assert run_command(course, "export", "term") == (0, "")
    for name in ("feedback/right/tiny/tiny", "report/tiny", "report/term"):
        assert "xcused" in (course / f"{name}.html").read_text("utf-8"), name
    (course / "book.csv").write_text(
        "Student,ID,SIS Login ID,Section,tiny (1)\nRight,1,right,A,5\n"
        "Away,2,away,A,\nOdd,3,odd,A,EX\n"
    )
    # The course's ids are logins: nobody knows that before a teacher says it.
    same = ("--same", "login=id")
    assert run_command(course, "roster", "book.csv", *same)[0] == 0
    controller, device = os.openpty()  # who is asked there says yes
    os.write(controller, b"y\n")
    command = [sys.executable, "-P", "-m", "nbproctor", "export", "book.csv"]
    terminal = dict.fromkeys(("stdin", "stdout", "stderr"), device)
    subprocess.run(command, cwd=course, check=True, **terminal)
    assert (course / "book_filled.csv").read_text().count(",EX\n") == 3
    assert nbgrader.class_table(course, "tiny").loc["odd", "status"] == "excused"
    assert run_command(course, "extend", "right", "--not-excused") == (0, "")
    assert nbgrader.class_table(course, "tiny").loc["right", "total"] == 5
    plugin = "c.AssignLatePenalties.plugin_class = 'nbgrader.plugins.{}'"
    zero = "c.LateSubmissionPlugin.penalty_method = 'zero'"
    configure(course, plugin.format("LateSubmissionPlugin"), zero)
    again(course, force=True, lower=True)
    assert totals(course)["right"] == 0
