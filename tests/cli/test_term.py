"""A term of forty students ends as a list says that was written before."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.term import Term, compare, play
from tests.cli.term_class import students
from tests.nbgrader.rows import url

pytestmark = pytest.mark.slow


def test_a_term_ends_with_exactly_the_marks_of_the_list(
    template: Path,
    tmp_path: Path,
    utc: None,
) -> None:
    course = shutil.copytree(template, tmp_path / "course")
    term = Term(course, students(40))
    play(term, url(course))
    compare(term, url(course))
    assert " total 0 of 15 " in term.page("report", "term", "mmiss.html")
    assert " total – " in term.page("report", "term", "mnguyen.html")
