"""The lab under stock nbgrader: its own release, kernels, gradebook and marks.

The courses of this file never call `proctor(c)`.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook

from nbproctor.kit import sample
from nbproctor.notebook import SKIP_TAG, MasterNotebook
from tests.kernels import brief

LAB = "neural_network"
NOTEBOOK = f"{LAB}/{LAB}.ipynb"
# Exercises that the reference solves by calling other exercises. Python looks those
# names up in the student's own notebook, so under stock nbgrader the reference earns
# nothing while they are blank; follow-through marks do away with that.
# (`sigmoid_prime` calls `sigmoid` too; its tests ask once more with a right one.)
CALLS = {"fit": ("one_hot", "compute_cost")}

pytestmark = pytest.mark.slow


def start(course: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start nbgrader's own command, with nbproctor installed: hidden tests use it."""
    here = str(Path(sys.executable).parent)
    environment = os.environ | {
        "PATH": os.pathsep.join([here, os.environ["PATH"]]),
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "OPENBLAS_NUM_THREADS": "1",
        "IPYTHONDIR": str(course.parent / "ipython"),  # see `brief`
    }
    return subprocess.Popen(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=course,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(*running: subprocess.Popen[str]) -> None:
    for process in running:
        said, _ = process.communicate(timeout=600)
        assert process.returncode == 0, said[-3000:]


@pytest.fixture(scope="module")
def master(project: Path) -> MasterNotebook:
    return MasterNotebook.read(
        project / "source" / NOTEBOOK, project / "release" / NOTEBOOK
    )


@pytest.fixture(scope="module")
def course(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The course without nbproctor, its release made by nbgrader."""
    made = tmp_path_factory.mktemp("stock") / "course"
    made.mkdir()
    brief(made.parent)
    for name in ("source", "data"):
        (made / name).symlink_to(project / name)
    lines = (project / "nbgrader_config.py").read_text().splitlines(keepends=True)
    config = "".join(line for line in lines if "proctor" not in line.lower())
    (made / "nbgrader_config.py").write_text(config)
    finish(start(made, "generate_assignment", LAB))
    return made


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
    kept = [part for _, part in re.findall(region, text, re.DOTALL)]
    lines = {line.strip() for part in kept for line in part.splitlines()}
    # `return self` and the like also stand in cells that everybody may read.
    secrets = {line for line in lines if line not in public}
    assert len(secrets) > 0.9 * len(lines) > 300
    released = (course / "release" / NOTEBOOK).read_text("utf-8")
    for secret in secrets | {"### BEGIN", "### END"}:
        assert json.dumps(secret, ensure_ascii=False)[1:-1] not in released
    for cell in json.loads(released)["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == [] and cell["execution_count"] is None


# --- a class, marked by stock nbgrader ------------------------------------------------


def shares(exercises: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Six students who solved half the exercises each, by name.

    Each exercise is solved by another three of the six: of any two exercises somebody
    has solved only the one, and somebody only the other.
    """
    threes = list(itertools.combinations(range(6), 3))[: len(exercises)]
    return {
        f"share{student}": tuple(
            name
            for name, three in zip(exercises, threes, strict=True)
            if student in three
        )
        for student in range(6)
    }


@pytest.fixture(scope="module")
def graded(course: Path, project: Path, master: MasterNotebook) -> list[Path]:
    """Who solved all, and six who solved half of it.

    Two courses with half the class each, because nbgrader itself grades one by one.
    Nobody trains: nbgrader runs what the source leaves out of grading.
    """
    students = [
        sample.SampleStudent("all", "", "", None),
        *(
            sample.SampleStudent(name, "", "", solved)
            for name, solved in shares(master.exercises).items()
        ),
    ]
    halves = []
    for number in (0, 1):
        half = course.parent / f"half{number}"
        shutil.copytree(course, half, symlinks=True)
        variants = project / "variants" / LAB
        sample.write_class(students[number::2], half, master, variants)
        for path in half.glob(f"submitted/*/{NOTEBOOK}"):
            notebook = nbformat.read(path, as_version=4)
            for cell in notebook.cells:
                if SKIP_TAG in cell.metadata.get("tags", []):
                    cell.source = ""
            nbformat.write(notebook, path)
        halves.append(half)
    finish(*[start(half, "autograde", LAB) for half in halves])
    return halves


@pytest.fixture(scope="module")
def marks(graded: list[Path], master: MasterNotebook) -> dict[str, dict[str, float]]:
    """Student → exercise → points in the gradebook."""
    exercise = {c.id: c.exercise for c in master.of_kind("test") if c.exercise}
    found: dict[str, dict[str, float]] = {}
    for half in graded:
        with Gradebook(f"sqlite:///{half / 'gradebook.db'}") as book:
            for submission in book.assignment_submissions(LAB):
                of = found[submission.student.id] = dict.fromkeys(master.exercises, 0.0)
                for grade in (g for n in submission.notebooks for g in n.grades):
                    if grade.cell.name in exercise:
                        of[str(exercise[grade.cell.name])] += grade.auto_score
                assert sum(of.values()) == submission.score
    return found


@pytest.fixture(scope="module")
def worth(master: MasterNotebook) -> dict[str, float]:
    """Exercise → its points."""
    points = dict.fromkeys(master.exercises, 0.0)
    for cell in (cell for cell in master.of_kind("test") if cell.points):
        points[str(cell.exercise)] += cell.points
    return points


def test_the_solution_earns_100(marks, worth) -> None:
    assert marks["all"] == worth
    assert sum(worth.values()) == 100


def test_an_exercise_earns_its_own_points_whatever_else_is_solved(
    marks, worth, master: MasterNotebook
) -> None:
    earned = set()
    for student, solved in shares(master.exercises).items():
        able = {e for e in solved if {*CALLS.get(e, ())} <= {*solved}}
        wanted = {name: worth[name] * (name in able) for name in worth}
        assert marks[student] == wanted, student
        earned |= able
    assert earned == {*worth}
