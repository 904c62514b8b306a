"""The lab under stock nbgrader: its own release, kernels, gradebook and marks.

The courses of this file never call `proctor(c)`.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook

from examples import sample_class
from nbproctor.notebook import SKIP_TAG, MasterNotebook
from tests.kernels import brief
from tests.programs import start, succeeded

LAB = "neural_network"
NOTEBOOK = f"{LAB}/{LAB}.ipynb"
# Exercises that the reference solves by calling other exercises. Python looks those
# names up in the student's own notebook, so under stock nbgrader the reference earns
# nothing while they are blank; follow-through marks do away with that.
# (`sigmoid_prime` calls `sigmoid` too; its tests ask once more with a right one.)
CALLS = {"fit": ("one_hot", "compute_cost")}

pytestmark = pytest.mark.slow


def nbgrader(course: Path, *arguments: str) -> None:
    """Run nbgrader's own command, with nbproctor installed: hidden tests use it."""
    scripts = str(Path(sys.executable).parent)
    succeeded(
        start(
            sys.executable,
            "-m",
            "nbgrader",
            *arguments,
            cwd=course,
            PATH=os.pathsep.join([scripts, os.environ["PATH"]]),
            PYTHONPATH=str(Path(__file__).parents[2]),
            IPYTHONDIR=str(course.parent / "ipython"),  # see `brief`
        )
    )


@pytest.fixture(scope="module")
def course(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The course without nbproctor, its release made by nbgrader."""
    folder = tmp_path_factory.mktemp("stock") / "course"
    folder.mkdir()
    brief(folder.parent)
    for name in ("source", "data"):
        (folder / name).symlink_to(project / name)
    lines = (project / "nbgrader_config.py").read_text().splitlines(keepends=True)
    config = "".join(line for line in lines if "proctor" not in line.lower())
    (folder / "nbgrader_config.py").write_text(config)
    nbgrader(folder, "generate_assignment", LAB)
    return folder


# --- the release ------------------------------------------------------------------


def test_stock_nbgrader_makes_the_committed_release(
    course: Path, project: Path
) -> None:
    release = (course / "release" / NOTEBOOK).read_bytes()
    assert release == (project / "release" / NOTEBOOK).read_bytes()


def test_the_release_shows_no_solution_no_hidden_test_and_no_output(
    course: Path, project: Path
) -> None:
    region = r"### BEGIN (SOLUTION|HIDDEN TESTS)\n(.*?)### END \1"
    source = nbformat.read(project / "source" / NOTEBOOK, as_version=4)
    text = "\n".join(cell.source for cell in source.cells)
    public = re.sub(region, "", text, flags=re.DOTALL)
    regions = [part for _, part in re.findall(region, text, re.DOTALL)]
    lines = {line.strip() for part in regions for line in part.splitlines()}
    # `return self` and the like also stand in cells that everybody may read.
    secrets = {line for line in lines if line not in public}
    assert len(secrets) > 0.9 * len(lines) > 300
    released = (course / "release" / NOTEBOOK).read_text("utf-8")
    for secret in secrets | {"### BEGIN", "### END"}:
        assert json.dumps(secret, ensure_ascii=False)[1:-1] not in released
    for cell in json.loads(released)["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == [] and cell["execution_count"] is None


def test_a_gradebook_has_the_version_that_nbgrader_gives_it(
    course: Path, template: Path
) -> None:
    versions = []
    for folder in (course, template):
        with closing(sqlite3.connect(folder / "gradebook.db")) as book:
            versions += book.execute("SELECT version_num FROM alembic_version")
    assert len(versions) == 2 and versions[0] == versions[1] != ("",)


# --- marks ------------------------------------------------------------------------


def test_stock_nbgrader_gives_an_exercise_its_points_whatever_else_is_solved(
    course: Path,
    project: Path,
    lab_master: MasterNotebook,
) -> None:
    """Nobody trains: nbgrader runs what the source leaves out of grading.

    All of the solution is run in a kernel by `release`: tests/cli/test_documented.py.
    """
    solved = lab_master.exercises[::2]
    half = sample_class.SampleStudent("half", "", "", solved)
    sample_class.write_class([half], course, lab_master, project / "variants" / LAB)
    path = course / "submitted/half" / NOTEBOOK
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if SKIP_TAG in cell.metadata.get("tags", []):
            cell.source = ""
    nbformat.write(notebook, path)
    nbgrader(course, "autograde", LAB)
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        (submission,) = book.assignment_submissions(LAB)
        grades = (g for n in submission.notebooks for g in n.grades)
        earned = {grade.cell.name for grade in grades if grade.auto_score}
        assert submission.score > 0
    able = {name for name in solved if {*CALLS.get(name, ())} <= {*solved}}
    tests = [cell for cell in lab_master.of_kind("test") if cell.points]
    assert earned == {cell.id for cell in tests if cell.exercise in able}
