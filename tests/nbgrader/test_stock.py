"""The lab under stock nbgrader: its own release, kernels, gradebook and marks.

The courses of this file never call `proctor(c)`.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook

from examples import sample_class
from nbproctor.notebook import SKIP_TAG, MasterNotebook
from tests.kernels import brief
from tests.programs import start

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
    done = start(
        sys.executable,
        "-m",
        "nbgrader",
        *arguments,
        cwd=course,
        PATH=os.pathsep.join([scripts, os.environ["PATH"]]),
        PYTHONPATH=str(Path(__file__).parents[2]),
        IPYTHONDIR=str(course.parent / "ipython"),  # see `brief`
    )
    assert done.returncode == 0, done.stderr[-3000:]


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


# --- marks ------------------------------------------------------------------------


def shares(exercises: Sequence[str]) -> list[tuple[str, ...]]:
    """Return what six students solved, half of the exercises each.

    Each exercise is solved by another three of the six: of any two exercises somebody
    has solved only the one, and somebody only the other.
    """
    threes = list(itertools.combinations(range(6), 3))[: len(exercises)]
    dealt = list(zip(exercises, threes, strict=True))
    return [tuple(name for name, by in dealt if number in by) for number in range(6)]


def summed(lab_master: MasterNotebook, points: dict[str, float]) -> dict[str, float]:
    """Return the points of each exercise, given those of test cells."""
    sums = dict.fromkeys(lab_master.exercises, 0.0)
    for cell in (cell for cell in lab_master.of_kind("test") if cell.points):
        sums[str(cell.exercise)] += points.get(cell.id, 0.0)
    return sums


@pytest.fixture(scope="module")
def worth(lab_master: MasterNotebook) -> dict[str, float]:
    """Exercise → its points."""
    return summed(lab_master, {c.id: c.points for c in lab_master.of_kind("test")})


@pytest.fixture(scope="module")
def plain(project: Path, lab_master: MasterNotebook) -> list[dict[str, float]]:
    """Exercise → points of who solved all, and of each share, in plain Python."""
    solved = sample_class.solutions(lab_master)
    dealt = [solved, *({n: solved[n] for n in s} for s in shares(lab_master.exercises))]
    command = [sys.executable, "-m", "tests.audit.plain_python"]
    done = subprocess.run(
        [*command, project / "source" / NOTEBOOK],
        cwd=project / "source" / LAB,
        env=os.environ | {"PYTHONPATH": str(project), "MPLBACKEND": "agg"},
        input=json.dumps(dealt),
        capture_output=True,
        check=True,
        text=True,
    )
    most = {c.id: c.points for c in lab_master.of_kind("test")}
    return [
        summed(lab_master, {name: most[name] for name in passed})
        for passed in json.loads(done.stdout)
    ]


def test_stock_nbgrader_gives_half_of_the_solution_what_plain_python_says(
    course: Path, project: Path, lab_master: MasterNotebook, plain
) -> None:
    """Nobody trains: nbgrader runs what the source leaves out of grading.

    All of the solution is run in a kernel by `release`: tests/cli/test_documented.py.
    """
    half = sample_class.SampleStudent("half", "", "", shares(lab_master.exercises)[0])
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
        marks = summed(lab_master, {g.cell.name: g.auto_score for g in grades})
        assert sum(marks.values()) == submission.score
    assert marks == plain[1]


def test_an_exercise_earns_its_own_points_whatever_else_is_solved(
    lab_master: MasterNotebook, worth, plain
) -> None:
    earned = set()
    for solved, marks in zip(shares(lab_master.exercises), plain[1:], strict=True):
        able = {e for e in solved if {*CALLS.get(e, ())} <= {*solved}}
        assert marks == {name: worth[name] * (name in able) for name in worth}
        earned |= able
    assert earned == {*worth} and plain[0] == worth and sum(worth.values()) == 100
