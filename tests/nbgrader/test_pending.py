"""Work that waits for a person, or is no longer there: from commands to pages."""

from __future__ import annotations

import shutil
from math import isnan
from pathlib import Path

import pytest

from nbproctor import nbgrader, platforms
from tests.broken.cases import write
from tests.cli.term import read_table
from tests.nbgrader.test_regrade import ODD
from tests.nbgrader.tiny import (
    book,
    configure,
    grade_by_hand,
    hand_in,
    source_of,
    without_zero,
)
from tests.notebooks import cell, read_json
from tests.pages.lab import read_words
from tests.programs import run_here

pytestmark = pytest.mark.slow
ESSAY = "Because."
QUESTION = {
    "grade": True,
    "solution": True,
    "locked": False,
    "points": 4,
}


@pytest.fixture(scope="module")
def original(class_course: Path) -> Path:
    """Make a course with a question: three wait for a person, one is ungradable."""
    with source_of(class_course) as notebook:
        notebook["cells"].append(cell("why", "Why?", "markdown", **QUESTION))
    hand_in(class_course, "ann", why=ESSAY)
    hand_in(class_course, "bob", why=ESSAY, fizz=ODD)
    hand_in(class_course, "cem", why=ESSAY)
    hand_in(class_course, "eve").write_text('{"cells": [')
    text = grade(class_course)
    assert "ann; bob; cem: To be graded by hand: why.\n" in text
    assert "4 submitted, 0 graded, 3 to be graded by hand, 1 not graded." in text
    assert "No total is complete yet." in text
    return class_course


def grade(course: Path) -> str:
    return run_here("grade", cwd=course).stdout


def exported(course: Path) -> dict[str, dict[str, str]]:
    """Return the rows of the table of the class, by student."""
    run_here("export", "csv", cwd=course)
    return {row["student"]: row for row in read_table(course / "exported/tiny.csv")}


def read_report(course: Path) -> str:
    return read_words(course / "report/tiny.html")


def mark_by_hand(course: Path, *students: str) -> None:
    grade_by_hand(course, "why", *students, manual_score=3, needs_manual_grade=False)


def test_who_has_a_mark_by_hand_waits_no_longer_until_the_answer_is_another(
    course: Path,
) -> None:
    mark_by_hand(course, "ann", "cem")
    text = grade(course)
    assert "\nbob: To be graded by hand: why.\n" in text
    assert "2 graded, 1 to be graded by hand, 1 not graded." in text
    assert "Median 13 of 14 points." in text and "Complete totals: 2 of 3." in text
    reasons = {student: row["reason"] for student, row in exported(course).items()}
    waiting = {"ann": "", "bob": "To be graded by hand: why.", "cem": ""}
    assert reasons.items() >= waiting.items()
    assert " To be graded by hand bob : why Totals " in read_report(course)
    hand_in(course, "ann", why=ESSAY, fizz=ODD)
    text = grade(course)
    assert "ann: 13 → 10 (-3), submitted again" in text
    text += run_here("grade", "--force", cwd=course).stdout
    assert text.count("\nbob: To be graded by hand: why.\n") == 2
    marked = "ann: To be graded by hand: why (has a mark for an earlier answer)."
    assert text.count(marked) == 2
    text = run_here("export", "csv", cwd=course).stdout
    assert "points that were given by hand for an earlier answer: ann." in text


def test_a_mark_for_an_earlier_answer_is_not_held_against_the_new_one(
    course: Path,
) -> None:
    mark = {"manual_score": 2, "needs_manual_grade": False}
    grade_by_hand(course, "fizz-multiples", "bob", **mark)
    hand_in(course, "bob", why=ESSAY)  # all of it is right now
    grade(course)
    words = read_words(course / "feedback/bob/tiny/tiny.html")
    assert "A mark by hand is for an earlier answer. Your teacher will look" in words
    assert "partly right" not in words and "Fix next" not in words


@pytest.mark.parametrize("kind", ["markdown", "code"])
def test_an_answer_below_the_cell_that_a_person_grades_is_no_silent_zero(
    course: Path, kind: str
) -> None:
    path = hand_in(course, "ann")
    grade(course)
    assert nbgrader.scores(course, "tiny").loc["ann", "why"] == 0
    notebook = read_json(path)
    below = [each.get("id") for each in notebook["cells"]].index("why") + 1
    notebook["cells"].insert(below, {**cell("", "# Because.", kind), "metadata": {}})
    write(path.parent, notebook)
    assert "ann; bob; cem: To be graded by hand: why." in grade(course)
    assert isnan(nbgrader.scores(course, "tiny").loc["ann", "why"])
    words = read_words(course / "feedback/ann/tiny/tiny.html")
    assert "to be graded by hand" in words and "not started" not in words


def test_the_essay_of_an_excused_student_waits_for_nobody(course: Path) -> None:
    platforms.update_record(course / "collected/tiny", "excused", {"bob": "yes"})
    assert " 2 to be graded by hand, 1 not graded, 1 excused.\n" in grade(course)


def test_nobody_has_to_look_again_at_what_a_person_marked_where_no_test_ran(
    course: Path,
) -> None:
    """formgrader lists those whose work needs a person; nbgrader asks it anew."""

    def waits() -> bool:
        with book(course) as opened:
            return bool(opened.find_submission("tiny", "eve").needs_manual_grade)

    assert waits()
    with book(course) as opened:
        for cell in opened.find_submission("tiny", "eve").notebooks[0].grades:
            cell.manual_score = 1
            cell.needs_manual_grade = False
        opened.db.commit()
    assert not waits()
    run_here("grade", "--force", cwd=course)
    assert not waits()
    (course / "submitted/eve/tiny/tiny.ipynb").write_text('{"cells": [{')
    grade(course)
    assert waits()


def test_a_corrected_test_is_reported_for_those_who_wait(course: Path) -> None:
    mark_by_hand(course, "ann")
    without_zero(course)
    text = grade(course)
    assert "1 mark changed:\n  bob: 7 → 10 (+3), graded again\n" in text
    # The same answers: nobody has to look at Ann's again.
    assert "bob; cem: To be graded by hand: why." in text


def test_who_has_submitted_and_is_not_graded_yet_is_not_missing(course: Path) -> None:
    mark_by_hand(course, "ann")
    people = [platforms.Person("dan"), platforms.Person("fay")]
    nbgrader.enrol(nbgrader.Course(course), people)
    hand_in(course, "dan", why=ESSAY)
    rows = exported(course)
    assert (rows["dan"]["status"], rows["fay"]["status"]) == ("not graded", "missing")
    (course / "book.csv").write_text(
        "Student,ID,SIS Login ID,Section,tiny (1)\nDan,1,dan,A,\n"
    )
    run_here("roster", "book.csv", "--same=login=id", cwd=course)
    with (course / "book.csv").open("a") as file:
        file.write("New,2,new,A,\n")
    text = run_here("export", "book.csv", cwd=course).stdout
    assert "not graded. Submitted, but not graded yet. Run `grade`." in text
    assert "New: is not in this course" in text and "import the file first" in text
    assert "Graded here, but not in the file:\n  ann\n" in text


def test_whose_work_was_removed_is_missing_everywhere(course: Path) -> None:
    mark_by_hand(course, "ann", "bob")
    assert (course / "feedback/ann/tiny/tiny.html").exists()
    shutil.rmtree(course / "submitted/ann/tiny")
    text = grade(course)
    line = next(line for line in text.splitlines() if line.startswith(" ann "))
    assert line.split() == ["ann", "–", "–", "–", "–", "missing"]
    assert "ann: Nothing submitted." in text
    assert "3 submitted, 1 graded, 1 to be graded by hand, 1 not graded, 1 mis" in text
    assert read_report(course).endswith("Nothing submitted ann")
    row = exported(course)["ann"]
    assert (row["status"], row["total"], row["fizz"]) == ("missing", "", "")
    pages = nbgrader.pages(nbgrader.Course(course, "tiny"))
    assert [student for student, *_ in pages] == ["bob", "cem", "eve"]


def test_only_who_can_be_late_is_listed_as_late(course: Path) -> None:
    """By a platform that does not say when: after a due date, and with a penalty."""
    late = dict.fromkeys(("ann", "bob"), "yes")
    platforms.update_record(course / "collected/tiny", "late", late)

    def listed() -> list[str]:
        standings = nbgrader.participants(nbgrader.Course(course, "tiny"))
        return nbgrader.late_without_time(standings)

    assert listed() == []  # neither a penalty nor a due date
    configure(course, "c.LateSubmissionPlugin.penalty_method = 'zero'")
    assert listed() == []
    run_here("due", "2001-01-01", "tiny", cwd=course)
    assert listed() == ["ann", "bob"]
    run_here("extend", "ann", "tiny", "--until=2999-01-01", cwd=course)
    assert listed() == ["bob"]
    run_here("extend", "ann", "tiny", "--until=2001-01-02", cwd=course)
    assert listed() == ["ann", "bob"]
    shutil.rmtree(course / "submitted/bob")
    assert listed() == ["ann"]
