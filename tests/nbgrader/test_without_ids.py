"""Courses in notebook formats before 4.5, whose cells have no id."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

from nbproctor import nbgrader
from tests.broken.cases import ANSWERS, STUB, text, write
from tests.nbgrader.tiny import graded, released, source_of, statuses

pytestmark = pytest.mark.slow
FREE = {"cell_type": "code", "source": "", "outputs": [], "execution_count": None}
NOTHING = {"grade": False, "locked": False, "schema_version": 3, "solution": False}


def test_a_course_without_cell_ids_is_released_and_graded(course: Path) -> None:
    """Cells that nbgrader has marked as nothing are the student's."""
    with source_of(course) as source:
        source["nbformat_minor"] = 0
        source["cells"].insert(0, FREE | {"metadata": {}})
        for cell in source["cells"]:
            cell.pop("id", None)
            cell["metadata"].setdefault("nbgrader", NOTHING)
    nbgrader.check_sources(course, "tiny")
    release = released(course)
    assert not any("id" in cell for cell in release["cells"])
    solved = copy.deepcopy(release)
    for cell in solved["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id")
        cell["source"] = text(cell).replace(STUB, ANSWERS.get(name, ""))
    newer = copy.deepcopy(solved) | {"nbformat_minor": 5}
    for number, cell in enumerate(newer["cells"]):
        cell["id"] = f"new-{number}"
    without = solved | {"cells": solved["cells"][1:]}
    for student, notebook in {
        "blank": release,
        "newer client": newer,
        "solved": solved,
        "without": without,
    }.items():
        write(course / "submitted" / student / "tiny", notebook)
    assert statuses(graded(course)) == {
        "blank": ("graded", 0.0),
        "newer client": ("graded", 10.0),
        "solved": ("graded", 10.0),
        "without": ("graded", 10.0),
    }
