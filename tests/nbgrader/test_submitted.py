"""Names and places in ``submitted/``: graded as they are, or listed, never lost."""

import os
import shutil
from pathlib import Path

import pytest

from nbproctor import nbgrader
from nbproctor.nbgrader import CourseError
from tests.broken.cases import write
from tests.nbgrader.tiny import graded, hand_in, run_nbgrader, solved
from tests.programs import run_here, succeeded

pytestmark = pytest.mark.slow

READ = " was not read: "
ODD_NAMES = ["anna[1]", "b*{c}?", "d e'f, é", "-g%20", "[!h]"]


def unread(course: Path) -> list[str]:
    return nbgrader.describe_unread(nbgrader.Course(course, "tiny"))


@pytest.fixture
def course(template: Path, tmp_path: Path) -> Path:
    """A course whose own path is a pattern, with its release made."""
    return shutil.copytree(template, tmp_path / "[neu] {x}" / "tiny")


def test_names_with_signs_in_them_are_graded_like_any_other(course: Path) -> None:
    for student in ODD_NAMES:
        hand_in(course, student).with_name("beside.txt").write_text("x")
    results = graded(course)
    pages = nbgrader.feedback(course, "tiny")
    for student in ODD_NAMES:
        result = results[student]
        assert (result.status, result.score) == ("graded", 10), result
        # Neither the graded notebook nor its hidden tests go back with the page.
        returned = sorted(p.name for p in (pages / student / "tiny").iterdir())
        assert "tiny.html" in returned
        assert "tiny.ipynb" not in returned
    assert unread(course) == []


def test_nbgraders_own_command_takes_one_student_with_a_bracket(course: Path) -> None:
    for student in ("anna[1]", "anna1"):
        hand_in(course, student)
    for command in ("autograde", "generate_feedback"):
        run_nbgrader(course, command, "tiny", "--student=anna[1]")
    # As a pattern, the id means anna1 too, and the real one is not left out.
    scores = nbgrader.scores(course, "tiny")["total"]
    assert scores["anna[1]"] == 10


def test_a_name_that_cannot_be_an_id_is_refused_and_ends_nothing(course: Path) -> None:
    names = {
        b"line\nfeed": "line break",
        b"bell\x07": "control character",
        b"\xdcbung": "UTF-8",
    }
    for name in (*names, b"honest"):
        hand_in(course, os.fsdecode(name))
    results = graded(course)
    assert [(r.student, r.score) for r in results.values()] == [("honest", 10)]
    text = "\n".join(unread(course))
    assert all(message in text for message in names.values())
    assert text.count("\n") == 2 and text.replace("\n", "").isprintable()


def test_what_lies_elsewhere_is_listed_with_where_it_should_be(course: Path) -> None:
    submitted = course / "submitted"
    notebook = solved(course)
    hand_in(course, "honest")
    (submitted / "honest/essay").mkdir()
    (submitted / "README.md").write_text("ours")
    (submitted / ".DS_Store").write_text("the computer's")
    for folder in "direct", "case/Tiny", "other/week 1":
        write(submitted / folder, notebook)
    (submitted / "empty").mkdir()
    (submitted / "file/").mkdir()
    (submitted / "file/tiny").write_text("no folder")
    (submitted / "dora.zip").write_text("x")
    expected = {
        "submitted/direct/tiny.ipynb": "move it to submitted/direct/tiny/",
        "submitted/case/Tiny/": "move it to submitted/case/tiny/",
        "submitted/other/week 1/": "move it to submitted/other/tiny/",
        "submitted/empty/": "empty",
        "submitted/file/tiny": "not a folder",
        "submitted/dora.zip": "submitted/<student>/tiny/",
    }
    reasons = dict(each.split(READ) for each in unread(course))
    assert reasons.keys() == expected.keys()
    for path, message in expected.items():
        assert message in reasons[path]
    done = succeeded(run_here("grade", "tiny", "--sandbox=weak", cwd=course))
    assert all(path + READ in done.stderr for path in expected)
    assert "honest" in done.stdout


def test_a_folder_of_another_assignment_is_not_listed(course: Path) -> None:
    hand_in(course, "ann")
    write(course / "submitted/ann/big", solved(course), "big.ipynb")
    assert [each.split(READ)[0] for each in unread(course)] == ["submitted/ann/big/"]
    (course / "source/big").mkdir()
    assert unread(course) == []


def test_when_nothing_can_be_graded_it_is_said_what_lies_there(course: Path) -> None:
    write(course / "submitted/ann", solved(course))
    with pytest.raises(CourseError, match=r"submitted/ann/tiny\.ipynb was not read"):
        nbgrader.grade(course, "tiny")


def test_a_file_named_as_a_folder_of_the_course_costs_nothing(course: Path) -> None:
    folder = course / "source/tiny/tools"
    folder.mkdir()
    (folder / "n.txt").write_text("3")
    nbgrader.generate(course, "tiny")
    answer = "def fizz(n):\n    three = int(open('tools/n.txt').read())\n"
    answer += "    return str(n) if n % three else 'fizz'"
    hand_in(course, "ada", fizz=answer).with_name("tools").write_text("x")
    (result,) = graded(course).values()
    assert (result.status, result.score) == ("graded", 10), result.reason
