"""Grading again: changed tests, marks given by hand, late penalties."""

import shutil
import sqlite3
from dataclasses import replace
from math import isnan
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from nbproctor import nbgrader
from nbproctor.cli.class_run import change_lines
from nbproctor.nbgrader import MarkChange, RunOptions, decision
from nbproctor.results import SubmissionResult
from tests.broken.cases import by_id
from tests.nbgrader.rows import everything
from tests.nbgrader.tiny import (
    book,
    configure,
    grade_by_hand,
    hand_in,
    source_of,
    stubs,
    totals,
    with_one,
    without_zero,
)
from tests.programs import run_here, succeeded

pytestmark = pytest.mark.slow
USES_FIZZ = "def mean_of(n):\n    fizz(3)\n    return sum(n) / len(n)"
ODD = "def fizz(n):\n    return 'fizz' if n and n % 3 == 0 else str(n)"


@pytest.fixture(scope="module")
def original(class_course: Path) -> Path:
    """Grade two students: one is right, one is wrong about fizz(0)."""
    hand_in(class_course, "right")
    hand_in(class_course, "odd", fizz=ODD)
    assert again(class_course) == []  # first marks are not changes
    assert totals(class_course) == {"odd": 7, "right": 10}
    return class_course


def again(course: Path, **options: Any) -> list[MarkChange]:
    return nbgrader.regrade(course, "tiny", options=RunOptions(**options))[1]


def test_who_gains_by_a_corrected_test_is_told_with_how_much(course: Path) -> None:
    without_zero(course)
    assert again(course, students=["right"]) == []
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


def test_a_lower_mark_for_other_files_needs_none_and_the_student_is_told(
    course: Path,
) -> None:
    def since() -> str:
        (result,) = nbgrader.regrade(course, "tiny", options=RunOptions({"right"}))[0]
        return result.since.get("tiny", "").removeprefix("Since your last submission: ")

    def change(before: float | None, after: float | None) -> MarkChange:
        return MarkChange("right", before, after, "submitted again", False)

    hand_in(course, "right", fizz=ODD)
    assert again(course) == [change(10.0, 7.0)]
    assert since() == "−3 in 1 `fizz(n)`."
    path = hand_in(
        course, "right", mean_of="def mean_of(n):\n    return sum(n) / len(n)"
    )
    same_points = "changed, with the same points: 2 `mean_of(numbers)`."
    assert since() == f"+3 in 1 `fizz(n)`; {same_points}"
    nbgrader.feedback(course, "tiny")
    page = course / "feedback/right/tiny/tiny.html"
    assert "+3 in 1 <code>fizz(n)</code>; changed" in page.read_text("utf-8")
    path.touch()
    assert "+3 in 1" in since()  # the same files
    path.with_name("notes.txt").touch()
    assert since() == "no answer has changed."
    assert not page.exists()  # or it would stand for a new submission
    path.write_text('{"cells": [')
    assert again(course) == [change(10.0, None)]
    waits, comments = read_comments(course)
    assert waits and all("cut short" in str(comment) for comment in comments)
    assert nbgrader.scores(course, "tiny").loc["right"].isna().all()
    assert not (course / "autograded/right/tiny/tiny.ipynb").exists()
    hand_in(course, "right")
    assert again(course) == [change(None, 10.0)]
    assert since() == ""  # there is nothing to compare with
    assert read_comments(course) == (False, [None, None])  # nothing of it is left
    hand_in(course, "right", fizz=stubs(course)["fizz"], mean_of=USES_FIZZ)
    again(course)
    assert "Passed with correct functions" in str(read_comments(course)[1][1])


def test_a_time_that_a_teacher_changes_is_no_new_submission(course: Path) -> None:
    """The files are the student's; the time is the platform's, or the teacher's."""

    def record(time: str) -> None:
        (course / "late.csv").write_text(f"student,time\nright,{time}\n")
        run_here("late", "late.csv", cwd=course)

    configure(course, "c.LateSubmissionPlugin.penalty_method = 'zero'")
    run_here("due", "2026-11-29", cwd=course)
    record("2026-11-29 10:00")
    assert again(course) == []
    record("2026-11-30 10:00")
    later = MarkChange("right", 10.0, 0.0, "submission time changed", False)
    assert again(course) == [later]
    assert again(course) == []
    run_here("extend", "right", "--days=2", cwd=course)
    assert again(course) == [MarkChange("right", 0.0, 10.0, "deadline changed", False)]
    with_one(course)
    run_here("due", "2026-11-24", cwd=course)
    (change,) = (each for each in again(course) if each.student == "right")
    # A test takes points, too, so the teacher is asked.
    assert change == MarkChange("right", 10.0, 0.0, "deadline changed", True)


def read_comments(course: Path) -> tuple[bool, list[str | None]]:
    """Return whether the first student's work needs a look, and its comments."""
    with book(course) as opened:
        submission = opened.find_submission("tiny", "right")
        comments = [comment.comment for comment in submission.notebooks[0].comments]
        return submission.needs_manual_grade, comments


def by_hand(course: Path, student: str) -> tuple[object, ...]:
    with book(course) as opened:
        grade = opened.find_grade("fizz-multiples", "tiny", "tiny", student)
        comment = opened.find_comment("fizz", "tiny", "tiny", student)
        return grade.manual_score, grade.extra_credit, comment.manual_comment


BY_HAND = {"manual_score": 2.5, "extra_credit": 0.5}
COMMENT = "Zero is a multiple too."
MARKED = (*BY_HAND.values(), COMMENT)
# By a test that asks for more.
LOWERED = [
    MarkChange("odd", 7.0, 5.0, "graded again", True),
    MarkChange("right", 10.0, 8.0, "graded again", True),
]


@pytest.mark.parametrize(("lower", "total"), [(False, 10.0), (True, 8.0)])
def test_a_lower_mark_needs_a_flag_and_what_is_given_by_hand_outlives_all(
    course: Path, lower: bool, total: float
) -> None:
    """Marks are given in a run; then a cloud drive frees space: a file is empty."""

    def look_into_formgrader(result: SubmissionResult) -> None:
        students = ("right", "odd")
        grade_by_hand(course, "fizz-multiples", *students, comment=COMMENT, **BY_HAND)

    with_one(course)
    before = everything(course)
    for _ in range(2):  # it is asked again, until somebody says what is meant
        results, lowered = nbgrader.regrade(course, "tiny")
        assert [result.score for result in results] == [7, 10]
        assert lowered == LOWERED
        assert everything(course) == before
    options = RunOptions(allow_lower=lower)
    _, changes = nbgrader.regrade(course, "tiny", look_into_formgrader, options)
    assert changes == [replace(change, is_kept=not lower) for change in LOWERED]
    again(course, allow_lower=lower)
    assert totals(course) == dict.fromkeys(("odd", "right"), total)
    assert by_hand(course, "right") == by_hand(course, "odd") == MARKED
    notebook = course / "submitted/odd/tiny/tiny.ipynb"
    content = notebook.read_bytes()
    notebook.write_bytes(b"")
    results, changes = nbgrader.regrade(course, "tiny", options=options)
    assert (changes[0].student, changes[0].after) == ("odd", None)
    assert results[0].reason.endswith("Marks given by hand stay: fizz-multiples.")
    assert by_hand(course, "odd") == MARKED
    notebook.write_bytes(content)
    change = MarkChange("odd", None, 8.0, "submitted again", False)
    assert again(course)[0] == change
    assert by_hand(course, "odd") == MARKED


def test_a_mark_without_its_files_as_from_a_backup_is_protected_as_well(
    course: Path,
) -> None:
    """The gradebook alone says what a student had, and what a person has reviewed."""
    grade_by_hand(course, "fizz-multiples", "right", **BY_HAND)
    marked = nbgrader.Course(course, "tiny").marks()["right"].grades
    shutil.rmtree(course / "autograded")
    assert again(course) == []
    assert (course / "autograded/right/tiny/tiny.ipynb").exists()
    assert nbgrader.Course(course, "tiny").marks()["right"].grades == marked
    with_one(course)
    shutil.rmtree(course / "autograded")
    assert again(course) == LOWERED
    assert totals(course) == {"odd": 7, "right": 10}


def test_nothing_can_be_written_between_what_a_run_reads_and_writes(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = sqlite3.connect(course / "gradebook.db", timeout=0)

    def write(*facts: Any, **named: Any) -> MarkChange | None:
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("UPDATE grade SET manual_score = 1")
        return decide(*facts, **named)

    decide = decision.decide
    trying = Mock(side_effect=write)
    monkeypatch.setattr(decision, "decide", trying)
    again(course, force=True)
    other.close()
    assert trying.call_count == 2
    assert totals(course) == {"odd": 7, "right": 10}


def test_changed_points_are_announced_and_no_mark_above_them_is_silent(
    course: Path,
) -> None:
    grade_by_hand(course, "fizz-multiples", "odd", manual_score=2.5)
    with source_of(course, release=False) as source:
        by_id(source, "fizz-text")["source"] = "## Fizz (3 points)"
        by_id(source, "fizz-multiples")["metadata"]["nbgrader"]["points"] = 1
    text = succeeded(run_here("release", cwd=course)).stdout
    assert "\n  fizz-multiples: 3 → 1. Marks given by hand stay: odd\n" in text
    assert "earlier points" not in succeeded(run_here("release", cwd=course)).stdout
    above = "Above the maximum of fizz-multiples (1), whose points have changed: "
    text = succeeded(run_here("grade", cwd=course)).stdout
    assert f"{above}odd; right." in text
    assert "right: stays at 10. With --lower: 8 (-2), the maximum is now 8" in text
    assert f"{above}odd." in succeeded(run_here("grade", "--lower", cwd=course)).stdout
    assert f"{above}odd." in succeeded(run_here("export", "csv", cwd=course)).stdout
    grade_by_hand(course, "fizz-multiples", "odd", manual_score=1, extra_credit=2)
    assert above not in succeeded(run_here("export", "csv", cwd=course)).stdout


def test_whom_the_platform_excuses_is_excused_here_when_a_person_agrees(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (course / "book.csv").write_text(
        "Student,ID,SIS Login ID,Section,tiny (1)\nRight,1,right,A,5\nOdd,3,odd,A,EX\n"
    )
    # The course's ids are logins: nobody knows that before a teacher says it.
    succeeded(run_here("roster", "book.csv", "--same=login=id", cwd=course))
    monkeypatch.setattr("nbproctor.cli.exporting.sys", Mock())  # a terminal
    monkeypatch.setattr("typer.confirm", Mock(return_value=True))
    output = succeeded(run_here("export", "book.csv", cwd=course)).stdout
    assert "is excused (EX)" in output and "not recognised" not in output
    assert (course / "book_filled.csv").read_text().count(",EX\n") == 1
    opened = nbgrader.Course(course, "tiny")
    row = nbgrader.class_table(opened, nbgrader.participants(opened)).loc["odd"]
    assert row["status"] == "excused" and isnan(row["total"])
    with_one(course)  # both would lose points
    output = succeeded(run_here("grade", cwd=course)).stdout
    assert "1 mark would be lower" in output
