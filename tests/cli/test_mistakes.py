"""A teacher's mistakes change nothing, and the message says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbproctor import nbgrader
from tests.cli.faults import COMMANDS, OTHERS
from tests.nbgrader.tiny import configure, content, hand_in
from tests.programs import run_line

pytestmark = pytest.mark.slow

# Files that a teacher has, and one that a run has left.
FILES = {
    ".nbproctor.lock": "",
    "all.rar": "Rar!",
    "empty.zip": "",
    "cut.zip": "PK\x03\x04",
    "colours.csv": "colour,group\nred,2\n",
    "titles.csv": "student_id,name\n",
    "names.csv": "student,name\naokafor,Amara\n",
    "groups.csv": "group,student\nBlue,nobody\n",
    "late.csv": "student,time\naokafor,2026-12-01 18:00\nksmith1,2026-12-01\n",
    "plain.ipynb": '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}',
}
# A command, and what it answers.
MISTAKES = """\
new tiny | already exists. Choose another name.
new short --from tiny --hours 4 | such as 'from-5-hours'
off | by lines that init did not write. Remove them
collect nothing.zip tiny | There is no file or folder nothing.zip.
collect all.rar tiny | Unpack it, and collect the folder.
collect canvas.csv tiny | `roster`; for a grade file, use `export`.
collect empty.zip tiny | broken
collect cut.zip tiny | broken (File is not a zip file). It may be cut short
collect canvas.zip tiny --as=Blue=nobody | does not identify one student in the class
collect canvas.zip tiny --as='Blue=Kim Smith' | may be Smith, Kim (ksmith1); Smith, Kim
collect canvas.zip tiny --groups=groups.csv | row 2: 'nobody' does not identify one
collect canvas.zip tiny --groups=names.csv | has no column 'group'
collect canvas.zip tiny --groups=colours.csv | row 2 names no student. Name a column
collect . other | There is no assignment 'other'
collect canvas.zip tiny --timezone=Mars | no time zone 'Mars'
collect canvas.zip second | collect DOWNLOAD tiny
roster nothing.csv | cannot be read
roster empty.zip | empty.zip is empty.
roster colours.csv | no column that identifies
roster titles.csv | lists no students
roster canvas.csv --same=handle=login | The kinds are: id, student id, login
roster canvas.zip | For a zip of submissions, use `nbproctor collect`.
adopt absent.ipynb | absent.ipynb
adopt plain.ipynb | No test was found
adopt source/tiny/tiny.ipynb third | is nbgrader's already
late late.csv tiny | Not submitted in tiny: Smith, Kim (ksmith1). Nothing was written.
extend aokafor tiny --days=1 | To set it: `nbproctor due '2026-12-01 18:00' tiny`
extend tiny aokafor --days=1 | 'aokafor'. The assignment comes last: … tiny
due tiny 2026-11-30 | There is no assignment '2026-11-30'. The assignment comes last
extend smith tiny --days=1 | may be Smith, Kim (ksmith1); Smith, Kim (ksmith2). Give
extend aokafor tiny | Give one of --until
extend aokafor tiny --days=1 --until=2026-12-01 | Give one of --until
grade tiny --student=aokafor --student=aokafr | Did you mean aokafor?
grade tiny --student=aokafr | 'aokafr' has not submitted anything
grade tiny --student=King | Did you mean bking?
grade tiny --student=mnguyen | submitted/mnguyen/tiny/
export feedback tiny | Nothing in 'tiny' is graded yet. Grade it before you ask
export csv tiny | Nobody has a mark in 'tiny' yet
export nothing.csv tiny | There is no file nothing.csv.
export gradescope tiny | requirements.txt is missing
--course=source lab | is not a course: it has no nbgrader_config.py
"""
ABSENT = "King, Jr., Bo; Nguyễn, Minh; Smith, Kim (ksmith1); Smith, Kim (ksmith2)"
# Commands of the whole course; the others are of one assignment.
OF_THE_COURSE = {
    "init",
    "new",
    "adopt",
    "roster canvas.csv",
    "doctor",
    "export term",
    "off",
}


def test_a_mistake_changes_nothing_and_the_message_says_what_to_do(
    course: Path,
) -> None:
    run_line("collect canvas.zip tiny", course)
    (course / "submitted/mnguyen/tiny").rename(course / "submitted/mnguyen/Tiny")
    for name, text in FILES.items():
        (course / name).write_text(text)
    before = content(course)
    for line in MISTAKES.splitlines():
        command, message = line.split(" | ")
        output = run_line(command, course, status=1)
        assert message in output and "Errno" not in output, output
    assert content(course) == before
    configure(course, "c.CourseDirectory.db_url = 'sqlite:///gradebook.db'")
    assert "names a database" in run_line("export gradescope tiny", course, status=1)


@pytest.mark.parametrize("command", sorted({*COMMANDS, *OTHERS} - OF_THE_COURSE))
def test_of_two_assignments_one_must_be_named(class_course: Path, command: str) -> None:
    message = run_line(command, class_course, status=1)
    assert "Name the assignment, one of: second, tiny" in message
    message = run_line(f"{command} other", class_course, status=1)
    assert "There is no assignment 'other'" in message


def test_a_course_is_named_or_is_around_the_working_directory(course: Path) -> None:
    missing = f"There is no {course / 'release/second'}. To make it: nbproctor release"
    assert missing in run_line("lab second", course / "source/tiny", status=1)
    assert missing in run_line("--course=course lab second", course.parent, status=1)


def test_the_next_step_is_one_that_works(course: Path) -> None:
    (course / "gradebook.db").unlink()
    output = run_line("collect canvas.zip tiny", course)
    assert output.endswith("Next: nbproctor release tiny")
    nbgrader.generate(course, "tiny")
    output = run_line("collect canvas.zip tiny", course)
    assert output.endswith("Next: nbproctor grade tiny")


def test_a_mark_of_before_a_change_is_named_before_it_is_exported(
    course: Path,
) -> None:
    """And the platform's own file is never written."""
    configure(course, 'c.LateSubmissionPlugin.penalty_method = "zero"')
    hand_in(course, "aokafor")
    run_line("due '2026-11-01 12:00' tiny --timezone=UTC", course)
    (course / "times.csv").write_text("student,time\naokafor,2026-11-02 18:00\n")
    for command in (
        "late times.csv tiny --timezone=UTC",
        "extend aokafor tiny --days=3",
        "extend aokafor tiny --days=0",
    ):
        output = run_line("grade tiny --lower --sandbox=weak", course)
        assert "Not up to date" not in run_line("export csv tiny", course), command
        run_line(command, course)
        _, _, outdated = run_line("export csv tiny", course).partition("Not up to date")
        assert "Okafor" in outdated, command
        assert "does not say by how much" not in outdated
    assert f"4 students: Nothing submitted. {ABSENT}" in output
    before = (course / "canvas.csv").read_bytes()
    line = "export canvas.csv tiny --write --to=./canvas.csv"
    assert "never changed" in run_line(line, course, status=1)
    assert (course / "canvas.csv").read_bytes() == before


def test_a_folder_that_nbgrader_refuses_is_named(course: Path) -> None:
    folder = course / "source/second"
    for name in ("one+two", " one", "one "):
        folder = folder.rename(course / "source" / name)
        for command in ("release", "grade", "lint", "audit"):
            output = run_line(f"{command} '{name}'", course, status=1)
            assert f"nbgrader refuses {name!r}" in output
