"""Release of an assignment: which sources are refused, and what students get."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nbproctor import nbgrader
from nbproctor.nbgrader import CourseError
from tests.broken.cases import by_id, text
from tests.nbgrader.tiny import Notebook, source_of

pytestmark = pytest.mark.slow


def nbgrader_meta(notebook: Notebook, name: str) -> dict[str, Any]:
    meta: dict[str, Any] = by_id(notebook, name)["metadata"]["nbgrader"]
    return meta


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda nb: nbgrader_meta(nb, "fizz-public").update(grade_id="fizz"), "'fizz'"),
        (
            lambda nb: nbgrader_meta(nb, "mean-values").update(points=4),
            r"\(5 points\)' says 5 points, but the test cells below it sum to 6",
        ),
        (lambda nb: nbgrader_meta(nb, "mean-values").pop("points"), "mean-values"),
        (lambda nb: nbgrader_meta(nb, "mean-values").update(points=-1), "mean-values"),
        (lambda nb: nbgrader_meta(nb, "setup").update(grade_id=""), "cell 2"),
        (lambda nb: nbgrader_meta(nb, "setup").update(schema_version=1), "update"),
        (lambda nb: nbgrader_meta(nb, "setup").pop("solution"), "solution"),
        (lambda nb: by_id(nb, "setup").pop("id"), "no id"),
        (
            lambda nb: by_id(nb, "setup").update(
                source="import math\n### BEGIN HIDDEN TESTS\n### END HIDDEN TESTS"
            ),
            "'setup' holds hidden tests",
        ),
    ],
)
def test_a_source_that_breaks_a_rule_is_refused_with_its_file(
    course: Path, damage: Callable[[Notebook], object], said: str
) -> None:
    with source_of(course, release=False) as notebook:
        damage(notebook)
    with pytest.raises(CourseError, match=said) as caught:
        nbgrader.check_sources(course, "tiny")
    assert str(course / "source/tiny/tiny.ipynb") in str(caught.value)


def test_a_heading_over_two_exercises_says_the_points_of_both(course: Path) -> None:
    heading = "# All (10 points)\n```\n# none\n```\nPlot 3 points"
    with source_of(course, release=False) as notebook:
        by_id(notebook, "title")["source"] = heading
        by_id(notebook, "mean-text")["source"] = "## 2. Plot 7 points"
    nbgrader.check_sources(course, "tiny")


def test_a_release_is_the_same_to_the_byte_every_time(course: Path) -> None:
    path = course / "release/tiny/tiny.ipynb"
    first = path.read_bytes()
    nbgrader.generate(course, "tiny")
    assert path.read_bytes() == first


def test_hints_are_kept_or_left_out_as_documented_and_nothing_else(
    course: Path, project: Path
) -> None:
    hint = {"cell_type": "markdown", "id": "hint", "source": "Count."}
    with source_of(course) as notebook:
        notebook["cells"].insert(3, hint | {"metadata": {"tags": ["hint"]}})
    kept = json.loads((course / "release/tiny/tiny.ipynb").read_text())
    page = (project / "docs/new-assignment.md").read_text("utf-8")
    lines = re.findall(r"```python\n(from nbconvert.*?)```", page, re.S)
    config = course / "nbgrader_config.py"
    config.write_text(config.read_text("utf-8") + lines[0])
    nbgrader.generate(course, "tiny")
    left = json.loads((course / "release/tiny/tiny.ipynb").read_text())
    assert kept["cells"].pop(3)["id"] == "hint"
    assert left == kept


def test_a_release_that_fails_changes_nothing(course: Path) -> None:
    with source_of(course, release=False) as notebook:
        cell = by_id(notebook, "mean-values")
        cell["source"] = text(cell).replace("### END HIDDEN TESTS", "")
    before = (course / "release/tiny/tiny.ipynb").read_bytes()
    gradebook = (course / "gradebook.db").read_bytes()
    there = {*course.iterdir()}
    with pytest.raises(CourseError, match="END HIDDEN TESTS"):
        nbgrader.generate(course, "tiny")
    assert (course / "release/tiny/tiny.ipynb").read_bytes() == before
    assert (course / "gradebook.db").read_bytes() == gradebook
    assert {*course.iterdir()} == there


def test_an_unknown_assignment_is_said_with_the_known_ones(course: Path) -> None:
    for call in nbgrader.generate, nbgrader.grade, nbgrader.scores, nbgrader.feedback:
        with pytest.raises(CourseError, match="tiny"):
            call(course, "huge")


def test_a_folder_that_is_no_course_is_said(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="nbgrader_config"):
        nbgrader.grade(tmp_path, "tiny")
