"""The gradebook of a run writes the rows that nbgrader's own writes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from nbgrader.api import Gradebook, MissingEntry

from nbproctor.nbgrader import CourseError
from nbproctor.nbgrader.gradebook import SharedGradebook
from tests.nbgrader.rows import rows, url

WHEN = "2026-10-01 12:00:00 CEST"


def add(book: Gradebook) -> None:
    with book:
        for student, values in (("ana", {"timestamp": WHEN}), ("ben", {})):
            book.update_or_create_student(student)
            made = book.update_or_create_submission("tiny", student, **values)
            assert made.student.id == student
            again = book.update_or_create_submission("tiny", student, **values)
            assert again.id == made.id


@pytest.mark.slow
def test_a_new_submission_has_the_rows_that_stock_nbgrader_gives_it(
    course: Path, tmp_path: Path
) -> None:
    stock = Path(shutil.copytree(course, tmp_path / "stock"))
    add(Gradebook(url(stock), "tiny"))
    shared = SharedGradebook(url(course), "tiny")
    add(shared)
    found = rows(url(course))
    assert found == rows(url(stock))
    assert any(kind == "grade" for kind, *_ in found)
    assert any(kind == "comment" for kind, *_ in found)


@pytest.mark.slow
def test_nobody_hands_in_whom_the_gradebook_does_not_know(course: Path) -> None:
    shared = SharedGradebook(url(course), "tiny")
    with pytest.raises(MissingEntry), shared:
        shared.add_submission("tiny", "nobody")
    with pytest.raises(CourseError), shared:
        shared.add_submission("unheard-of", "nobody")
