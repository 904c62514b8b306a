"""Names and places in ``submitted/``: graded as they are, or listed, never lost."""

import os
import shutil
from pathlib import Path

import pytest

from nbproctor import nbgrader
from nbproctor.nbgrader import CourseError
from tests.broken.cases import write
from tests.nbgrader.tiny import (
    graded,
    hand_in,
    run_nbgrader,
    solved,
    statuses,
    totals,
)
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
    """By nbgrader's own command, too: as a pattern, the first id would mean nobody."""
    for student in ODD_NAMES:
        hand_in(course, student).with_name("beside.txt").write_text("x")
    for command in ("autograde", "generate_feedback"):
        run_nbgrader(course, command, "tiny", f"--student={ODD_NAMES[0]}")
    assert totals(course) == {ODD_NAMES[0]: 10}
    results = graded(course)
    pages = nbgrader.feedback(course, "tiny")
    assert statuses(results) == dict.fromkeys(ODD_NAMES, ("graded", 10))
    for student in ODD_NAMES:
        # Neither the graded notebook nor its hidden tests go back with the page.
        returned = {path.name for path in (pages / student / "tiny").iterdir()}
        assert "tiny.html" in returned
        assert "tiny.ipynb" not in returned
    assert unread(course) == []


def test_a_name_that_cannot_be_an_id_is_refused_and_ends_nothing(course: Path) -> None:
    names = {
        b"bell\x07": "control character",
        b"line\nfeed": "line break",
        b"\xdcbung": "UTF-8",
    }
    for name in (*names, b"honest"):
        hand_in(course, os.fsdecode(name))
    assert statuses(graded(course)) == {"honest": ("graded", 10)}
    for sentence, reason in zip(unread(course), names.values(), strict=True):
        assert reason in sentence and sentence.isprintable()


def test_what_lies_elsewhere_is_listed_with_where_it_should_be(course: Path) -> None:
    submitted = course / "submitted"
    for folder in "direct", "case/Tiny", "other/week 1", "ann/big":
        write(submitted / folder, solved(course))
    (course / "source/big").mkdir()  # of another assignment
    (submitted / "README.md").write_text("ours")
    (submitted / ".DS_Store").write_text("the computer's")
    (submitted / "empty").mkdir()
    write(submitted / "file", {}, "tiny")
    (submitted / "dora.zip").write_text("x")
    expected = {
        "submitted/direct/tiny.ipynb": "move it to submitted/direct/tiny/",
        "submitted/case/Tiny/": "move it to submitted/case/tiny/",
        "submitted/other/week 1/": "move it to submitted/other/tiny/",
        "submitted/empty/": "empty",
        "submitted/file/tiny": "not a folder",
        "submitted/dora.zip": "submitted/<student>/tiny/",
    }
    with pytest.raises(CourseError, match=r"submitted/direct/tiny\.ipynb was not read"):
        nbgrader.grade(course, "tiny")
    hand_in(course, "honest")
    (submitted / "honest/essay").mkdir()
    done = succeeded(run_here("grade", "tiny", "--sandbox=weak", cwd=course))
    lines = [line for line in done.stderr.splitlines() if READ in line]
    reasons = dict(line.removeprefix("Not graded: ").split(READ) for line in lines)
    assert reasons.keys() == expected.keys()
    assert all(expected[path] in reasons[path] for path in expected)
    assert "honest" in done.stdout
