"""The lab under stock nbgrader: its own release, kernels, gradebook and marks.

The courses of this file never call `proctor(c)`.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook

from examples import sample_class
from nbproctor.notebook import SKIP_TAG, MasterNotebook
from tests.kernels import brief
from tests.nbgrader.rows import url
from tests.nbgrader.tiny import run_nbgrader, switch_off
from tests.notebooks import read_notebook

LAB = "neural_network"
NOTEBOOK = f"{LAB}/{LAB}.ipynb"
# Exercises that the reference solves by calling other exercises. Python looks those
# names up in the student's own notebook, so under stock nbgrader the reference earns
# nothing while they are blank; follow-through marks do away with that.
# (`sigmoid_prime` calls `sigmoid` too; its tests ask once more with a right one.)
CALLS = {"fit": ("one_hot", "compute_cost")}

pytestmark = pytest.mark.slow
# Where nbgrader finds alembic.
PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])


@pytest.fixture(scope="module")
def course(project: Path, module_path: Path) -> Iterator[Path]:
    """The course without nbproctor, its release made by nbgrader."""
    folder = module_path / "course"
    folder.mkdir()
    for name in ("source", "data"):
        (folder / name).symlink_to(project / name)
    shutil.copy(project / "nbgrader_config.py", folder)
    switch_off(folder)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in brief(folder.parent).items():
            patch.setenv(name, value)
        run_nbgrader(folder, "generate_assignment", LAB, path=PATH)
        yield folder


# --- the release ------------------------------------------------------------------


def test_stock_nbgrader_makes_the_committed_release(
    course: Path, project: Path
) -> None:
    """Without a line of a solution or a hidden test: their marks are gone, too."""
    release = (course / "release" / NOTEBOOK).read_bytes()
    assert release == (project / "release" / NOTEBOOK).read_bytes()
    assert b"# Checked here: " in release
    assert not re.search(rb"### (BEGIN|END)|\"output_type\"", release)


def test_a_gradebook_has_the_version_that_nbgrader_gives_it(
    course: Path, template: Path
) -> None:
    versions = []
    for folder in (course, template):
        with closing(sqlite3.connect(folder / "gradebook.db")) as book:
            (version,) = book.execute("SELECT version_num FROM alembic_version")
            versions.append(version)
    assert versions[0] == versions[1] != ("",)


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
    notebook = read_notebook(path)
    for cell in notebook.cells:
        if SKIP_TAG in cell.metadata.get("tags", []):
            cell.source = ""
    nbformat.write(notebook, path)
    run_nbgrader(course, "autograde", LAB, path=PATH)
    with Gradebook(url(course)) as book:
        (submission,) = book.assignment_submissions(LAB)
        (graded,) = submission.notebooks
        earned = {grade.cell.name for grade in graded.grades if grade.auto_score}
        assert submission.score > 0
    able = {name for name in solved if {*CALLS.get(name, ())} <= {*solved}}
    tests = lab_master.of_kind("test")
    assert earned == {t.id for t in tests if t.points and t.exercise in able}
