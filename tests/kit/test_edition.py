"""Shorter editions of an assignment: what they leave out, and what they give."""

from __future__ import annotations

import builtins
import re
import shutil
from pathlib import Path

import nbformat
import pytest

from nbproctor import nbgrader
from nbproctor.judge.compiled import Program
from nbproctor.kit.edition import shorten
from nbproctor.markers import Markers
from nbproctor.notebook import read_cells
from tests.notebooks import read_json, read_notebook
from tests.programs import run_line

pytestmark = pytest.mark.slow


@pytest.fixture
def course(project: Path, tmp_path: Path) -> Path:
    """The tiny course, whose second exercise is one of four hours."""
    course = shutil.copytree(project / "examples/tiny", tmp_path / "course")
    path = course / "source/tiny/tiny.ipynb"
    notebook = read_notebook(path)
    for cell in notebook.cells:
        if cell.id in ("mean_of", "mean-oracle"):
            cell.metadata["tags"] = ["from-4-hours"]
    nbformat.write(notebook, path)
    return course


def test_an_exercise_that_takes_too_long_is_given_and_scores_nothing(
    course: Path,
) -> None:
    assert "source/short: 5 points" in run_line("new short --from tiny", course)
    assert nbgrader.lint(course, "short") == []
    nbgrader.generate(course, "short")
    release = read_notebook(course / "release/short/short.ipynb")
    cells = {cell.id: cell for cell in release.cells}
    assert "raise NotImplementedError" in cells["fizz"].source
    assert "len(numbers)" in cells["mean_of"].source
    assert cells["mean_of"].metadata.nbgrader.locked
    assert cells["mean-text"].source.startswith("## 2. `mean_of(numbers)` (given)")
    assert not {"mean-public", "mean-oracle", "mean-values", "mean-input"} & {*cells}


@pytest.mark.parametrize(("hours", "points"), [(2, 29), (4, 63), (6, 100)])
def test_an_edition_of_the_lab_is_worth_what_its_outline_says_and_misses_no_name(
    project: Path,
    hours: int,
    points: int,
) -> None:
    path = project / "source/neural_network/neural_network.ipynb"
    content, _ = shorten(read_json(path), hours, Markers())
    cells = [*read_cells(content["cells"], {}, Markers())]
    text = "\n".join("".join(cell["source"]) for cell in content["cells"])
    text = re.sub(r"(?s)<!--.*?-->", "", text)
    rows = re.findall(r"\| (\d+) \| \d+ minutes", text)
    assert sum(cell.points for cell in cells) == sum(map(int, rows)) == points
    # The sections and exercises that are mentioned are in this edition.
    for mention, heading in (
        (r"[Ss]ection ([\d.]*\d)", r"\n##+ ([\d.]+)"),
        (r"exercise (\d+)", r"\(exercise (\d+), "),
    ):
        assert {*re.findall(mention, text)} <= {*re.findall(heading, text)}
    names = {*dir(builtins), "display", "get_ipython"}
    for cell in cells:
        program = Program.from_source(cell.source, cell.id, runs_in_judge=False)
        names |= program.binds
        assert program.uses <= names, cell.id
