"""Cells may change after somebody was graded: it is said for whom, and then done."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from nbproctor import nbgrader
from nbproctor.nbgrader import CourseError
from tests.broken.cases import by_id
from tests.nbgrader.rows import rows, url
from tests.nbgrader.tiny import HandIn, book, graded, source_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning"),
]


def test_a_release_with_other_cells_keeps_all_marks_that_still_have_one(
    course: Path, hand_in: HandIn
) -> None:
    """Renamed, removed, added: then it is as if it had been released so at first."""
    hand_in("ann", fizz="def fizz(n):\n    return str(n)")
    hand_in("bob")
    graded(course)
    with book(course) as opened:
        for cell in ("fizz-multiples", "mean-input"):
            opened.find_grade(cell, "tiny", "tiny", "bob").manual_score = 0.5
        opened.db.commit()
    with source_of(course, release=False) as source:
        renamed = by_id(source, "fizz-multiples")["metadata"]["nbgrader"]
        renamed["grade_id"] = "fizz-others"
        gone = by_id(source, "mean-input")
        new = json.loads(json.dumps(gone))
        new["metadata"]["nbgrader"]["grade_id"] = new["id"] = "mean-more"
        new["source"][0] = "# Checked here: nothing else.\n"
        source["cells"][source["cells"].index(gone)] = new

    before = (course / "gradebook.db").read_bytes(), rows(url(course))
    with pytest.raises(CourseError, match="Make the release again"):
        graded(course)
    with pytest.raises(CourseError, match="release --change-cells") as refused:
        nbgrader.generate(course, "tiny")
    said = str(refused.value)
    assert "'fizz-multiples' is called 'fizz-others' now and keeps its marks" in said
    assert "'mean-more' (2 points) is new" in said
    assert "'mean-input' goes with its marks, and what was given by hand to bob" in said
    assert rows(url(course)) == before[1]

    copy = nbgrader.generate(course, "tiny", change_cells=True)
    assert copy is not None and rows(f"sqlite:///{copy}") == before[1]
    with closing(sqlite3.connect(course / "gradebook.db")) as file:
        assert file.execute("PRAGMA foreign_key_check").fetchall() == []
    graded(course)
    fresh = course.with_name("fresh")
    shutil.copytree(course, fresh, ignore=shutil.ignore_patterns("*.db*", "autograded"))
    nbgrader.generate(fresh, "tiny")
    graded(fresh)
    # Graded again, a mark by hand asks for another look: so does plain nbgrader.
    by_hand = {("grade", "bob", "tiny", "fizz-others"): (3.0, 0.5, None, True, 3.0)}
    assert rows(url(course)) == rows(url(fresh)) | by_hand
