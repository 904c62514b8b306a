"""Feedback through nbgrader: one page by every way, made again only when it must be."""

from __future__ import annotations

import html
import re
import shutil
from pathlib import Path

import nbformat
import pytest
from nbgrader.apps.api import NbGraderAPI

from nbproctor.nbgrader import feedback, grade
from nbproctor.nbgrader.course import Course
from tests.nbgrader.tiny import (
    book,
    grade_by_hand,
    hand_in,
    run_nbgrader,
    stubs,
)
from tests.notebooks import read_notebook

pytestmark = pytest.mark.slow
STUDENTS = ("ann", "bob", "cem", "dan")
# A cell of a student's own → what must be read of it on the page, as text or picture.
SHOWN = {
    "print('one')\nprint('two')": "one\ntwo",
    "import sys; print('three\\nfour', file=sys.stderr)": "three\nfour",
    "'five\\nsix'": r"'five\nsix'",
    "import numpy; numpy.eye(2)": "array([[1., 0.],\n       [0., 1.]])",
    "import pandas; pandas.DataFrame({'k': [8, 9]})": "   k\n0  8\n1  9",
    "from IPython.display import HTML; HTML('<b>ten</b>')": "IPython.core.display.HTML",
    "from matplotlib import pyplot; pyplot.plot([1])": "data:image/png;base64",
    "raise ValueError('eleven\\ntwelve')": "ValueError: eleven\ntwelve",
}


@pytest.fixture(scope="module")
def course(class_course: Path) -> Path:
    """A graded class: all right, one mistake, no notebook at all, nothing done."""
    median = "def mean_of(numbers):\n    return sorted(numbers)[len(numbers) // 2]"
    hand_in(class_course, "ann")
    with_cells = hand_in(class_course, "bob", mean_of=median)
    notebook = read_notebook(with_cells)
    notebook.cells += [nbformat.v4.new_code_cell(source) for source in SHOWN]
    nbformat.write(notebook, with_cells)
    hand_in(class_course, "cem").write_text("<!doctype html><title>Log in</title>")
    hand_in(class_course, "dan", **stubs(class_course))
    with book(class_course) as gradebook:
        gradebook.add_student("ann", first_name="Ann", last_name="Ode")
        gradebook.add_student("eve", first_name="Eve", last_name="Away")
    grade(class_course, "tiny")
    feedback(class_course, "tiny")
    return class_course


def page(course: Path, student: str) -> Path:
    return course / "feedback" / student / "tiny" / "tiny.html"


def test_every_way_makes_the_same_page(course: Path) -> None:
    pages = {student: page(course, student).read_text() for student in STUDENTS}
    (course / "autograded/ann/tiny/other.html").write_text("of a student")
    shutil.rmtree(course / "feedback")
    view = Course(course).coursedir
    formgrader = NbGraderAPI(view, config=view.config)
    answer = formgrader.generate_feedback("tiny", "bob")  # the button of one student
    assert answer["success"], answer
    assert page(course, "bob").read_text() == pages["bob"]
    assert not page(course, "ann").exists()
    run_nbgrader(course, "generate_feedback", "tiny")
    assert {s: page(course, s).read_text() for s in STUDENTS} == pages
    files = {path.name for path in page(course, "ann").parent.iterdir()}
    assert files == {"tiny.html", "tiny.feedback.ipynb"}


@pytest.mark.parametrize("source", SHOWN)
def test_what_a_student_s_cell_shows_is_on_the_page_and_in_its_notebook(
    course: Path, source: str
) -> None:
    """Through the files, as nbformat writes and reads them."""
    shown = SHOWN[source]
    feedback_page = page(course, "bob")
    text = html.unescape(re.sub("<(?!img)[^>]+>", "", feedback_page.read_text("utf-8")))
    assert shown in text.partition(source)[2]
    graded = read_notebook(course / "autograded/bob/tiny/tiny.ipynb")
    annotated = read_notebook(feedback_page.with_name("tiny.feedback.ipynb"))
    outputs, copied = (
        next(cell.outputs for cell in notebook.cells if cell.source == source)
        for notebook in (graded, annotated)
    )
    assert outputs and copied == outputs


def test_a_page_says_which_files_it_is_of_in_a_line_to_send(course: Path) -> None:
    """Other files have another hash."""
    hashes = set()
    for student in ("ann", "cem"):
        line = re.search(
            rf"<code>student {student}, assignment tiny, notebook tiny, "
            r"graded \d{4}-\d\d-\d\d \d\d:\d\d \w+, file hash (\w{4})</code>",
            page(course, student).read_text("utf-8"),
        )
        assert line
        hashes.add(line[1])
    assert len(hashes) == 2


def make_pages(course: Path, students: list[str] | None = None) -> list[int]:
    """Make pages; return for each that was made how many were to be made."""
    counts = []
    feedback(course, "tiny", lambda done, of: counts.append(of), students)
    return counts


def test_only_a_page_with_something_new_is_made_again(course: Path) -> None:
    feedback(course, "tiny")
    assert make_pages(course) == []
    comment = "Read *what a median is*."
    grade_by_hand(course, "mean-values", "bob", comment=comment, manual_score=1.5)
    assert make_pages(course) == [1]
    bob = page(course, "bob")
    assert "<em>what a median is</em>" in bob.read_text()
    assert [s for s in STUDENTS if "by hand" in page(course, s).read_text()] == ["bob"]
    for student in STUDENTS:
        page(course, student).unlink()
    assert make_pages(course, ["bob"]) == [1]
    assert [s for s in STUDENTS if page(course, s).exists()] == ["bob"]
    bob.with_name("tiny.feedback.ipynb").unlink()
    assert make_pages(course) == [4, 4, 4, 4] and page(course, "ann").exists()
