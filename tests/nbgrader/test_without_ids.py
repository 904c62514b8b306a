"""Courses in notebook formats before 4.5, whose cells have no id."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

from nbproctor import nbgrader
from tests.broken.cases import ANSWERS, STUB, text, write
from tests.nbgrader import tiny
from tests.nbgrader.tiny import Notebook, graded, source_of

pytestmark = pytest.mark.slow


NOTHING = {"grade": False, "locked": False, "schema_version": 3, "solution": False}


@pytest.fixture
def released(course: Path) -> Notebook:
    """Make the tiny course one of format 4.4, and release it."""
    with source_of(course) as source:
        source["nbformat_minor"] = 4
        for cell in source["cells"]:
            del cell["id"]
    nbgrader.check_sources(course, "tiny")
    made = tiny.released(course)
    assert not any("id" in cell for cell in made["cells"])
    return made


def solved(released: Notebook) -> Notebook:
    notebook = copy.deepcopy(released)
    for cell in notebook["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id")
        cell["source"] = text(cell).replace(STUB, ANSWERS.get(name, ""))
    return notebook


def test_a_course_without_cell_ids_is_released_and_graded(
    course: Path, released: Notebook
) -> None:
    notebook = solved(released)
    write(course / "submitted/ann/tiny", notebook)
    write(course / "submitted/bob/tiny", released)
    for number, cell in enumerate(notebook["cells"]):  # as newer clients save it
        cell["id"] = f"new-{number}"
    write(course / "submitted/cleo/tiny", notebook | {"nbformat_minor": 5})
    results = graded(course)
    assert {name: (r.status, r.score) for name, r in results.items()} == {
        "ann": ("graded", 10.0),
        "bob": ("graded", 0.0),
        "cleo": ("graded", 10.0),
    }


def test_cells_that_nbgrader_marked_as_nothing_are_the_student_s(course: Path) -> None:
    free = {"cell_type": "code", "source": "", "outputs": [], "execution_count": None}
    with source_of(course) as source:
        source["nbformat_minor"] = 0
        source["cells"].insert(0, free | {"metadata": {}})
        for cell in source["cells"]:
            cell.pop("id", None)
            cell["metadata"].setdefault("nbgrader", NOTHING)
    notebook = solved(tiny.released(course))
    write(course / "submitted/ann/tiny", notebook)
    del notebook["cells"][0]
    write(course / "submitted/bob/tiny", notebook)
    results = graded(course)
    assert {name: (r.status, r.score) for name, r in results.items()} == {
        "ann": ("graded", 10.0),
        "bob": ("graded", 10.0),
    }
