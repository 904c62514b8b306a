"""Switching nbproctor on: never silently stock nbgrader, whatever is configured."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path

import nbgrader.apps.api
import nbgrader.apps.autogradeapp
import pytest
from nbgrader.api import Gradebook
from nbgrader.converters import Autograde
from sqlalchemy import text
from traitlets.config import Config

from nbproctor import nbgrader as room
from nbproctor import proctor
from nbproctor.nbgrader import CourseError
from nbproctor.nbgrader.autograder import ProctoredAutograde
from nbproctor.nbgrader.course import directory, load_config
from nbproctor.nbgrader.options import Nbproctor
from nbproctor.nbgrader.shared_gradebook import USERS, one_gradebook
from tests.nbgrader.tiny import HandIn, configure, graded, run_nbgrader

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning"),
]

CONFIG = "nbgrader_config.py"
PASSING = """
from nbgrader.preprocessors import NbGraderPreprocessor
class Passing(NbGraderPreprocessor):
    def preprocess(self, nb, resources):
        open(str(self.parent.parent.coursedir.root) + "/passed", "w").close()
        return nb, resources
"""


def test_nbgrader_still_names_the_classes_that_are_replaced() -> None:
    for module in (nbgrader.apps.autogradeapp, nbgrader.apps.api):
        assert module.Autograde is ProctoredAutograde
    stock = [step.__name__ for step in Autograde().autograde_preprocessors]
    assert stock[:5] == [
        "Execute",
        "IgnorePattern",
        "ClearMetadataPreprocessor",
        "LimitOutput",
        "SaveAutoGrades",
    ]


def test_every_gradebook_of_a_run_is_one(course: Path) -> None:
    """By name, in nbgrader's modules: this notices when nbgrader changes them."""
    view = directory(load_config(course))
    modules = [import_module(name) for name in USERS]
    assert all(module.Gradebook is Gradebook for module in modules)
    with one_gradebook(view):
        opened = {module.Gradebook(view.db_url) for module in modules}
        assert len(opened) == 1
        shared = opened.pop()
        plans = shared.db.execute(
            text("EXPLAIN QUERY PLAN SELECT * FROM grade WHERE notebook_id = 'x'")
        )
        assert "nbproctor_grade" in str(plans.all())
        with shared as outer, shared as inner:
            row = outer.find_assignment("tiny")
            inner.close()
            assert row.name == "tiny"  # the session of the outer one goes on
    assert all(module.Gradebook is Gradebook for module in modules)


def test_a_second_call_changes_nothing() -> None:
    once, twice = Config(), Config()
    proctor(once)
    proctor(twice)
    proctor(twice)
    assert once == twice


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize(
    "line",
    [
        "c.Autograde.sanitize_preprocessors.insert(0, Passing)",
        "c.Autograde.autograde_preprocessors.append(Passing)",
        "c.Autograde.autograde_preprocessors = ['nbgrader.preprocessors.Execute', "
        "'nbgrader.preprocessors.SaveAutoGrades', Passing]",
    ],
)
def test_the_pipelines_can_be_configured_in_every_way(
    course: Path, hand_in: HandIn, place: str, line: str
) -> None:
    lines = f"{PASSING}{line}\n"
    if place == "after":
        configure(course, lines)
    else:
        text = (course / CONFIG).read_text()
        before, call, rest = text.partition("proctor(c)")
        (course / CONFIG).write_text(f"{before}{lines}{call}{rest}")
    hand_in("ann", fizz="def fizz(n):\n    return str(n)")
    assert graded(course)["ann"].score == 7
    assert (course / "passed").exists()


def test_a_configuration_that_fails_grades_nothing(
    course: Path, hand_in: HandIn
) -> None:
    hand_in("ann")
    text = (course / CONFIG).read_text()
    (course / CONFIG).write_text(text.replace("proctor(c)", "1 / 0\nproctor(c)"))
    done = run_nbgrader(course, "autograde", "tiny")
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr
    assert "Nothing is graded without the sandbox" in done.stderr
    assert not (course / "autograded").exists()


def test_where_nbproctor_is_not_installed_nothing_is_graded(
    course: Path, hand_in: HandIn
) -> None:
    """By the four lines that `proctor` and the documents give."""
    hand_in("ann")
    text = (course / CONFIG).read_text()
    guarded = (
        "try:\n    from nbproctor_is_missing import proctor\n"
        'except ImportError as error:\n    raise SystemExit(f"Nothing: {error}")\n'
    )
    (course / CONFIG).write_text(
        text.replace("from nbproctor import proctor\n", guarded)
    )
    done = run_nbgrader(course, "autograde", "tiny")
    assert done.returncode == 1
    assert "Nothing: No module named 'nbproctor_is_missing'" in done.stderr
    assert not (course / "autograded").exists()


def test_a_pipeline_without_execute_is_refused(course: Path, hand_in: HandIn) -> None:
    hand_in("ann")
    configure(
        course,
        "c.Autograde.autograde_preprocessors = "
        "['nbgrader.preprocessors.SaveAutoGrades']",
    )
    with pytest.raises(CourseError, match="leaves out nbgrader's Execute"):
        graded(course)


def test_grading_without_executing_is_refused(course: Path, hand_in: HandIn) -> None:
    hand_in("ann")
    done = run_nbgrader(course, "autograde", "tiny", "--no-execute")
    assert done.returncode == 1
    assert "nbproctor always executes" in done.stderr
    assert not (course / "autograded").exists()


def test_an_ungradable_submission_makes_the_exit_status_1(
    course: Path, hand_in: HandIn
) -> None:
    hand_in("ann")
    (course / "submitted/bob/tiny").mkdir(parents=True)
    done = run_nbgrader(course, "autograde", "tiny")
    assert done.returncode == 1
    assert "Not graded: bob." in done.stderr
    assert done.stderr.count("Not graded: bob.") == 1
    (course / "submitted/bob/tiny").rmdir()
    (course / "submitted/bob").rmdir()
    assert run_nbgrader(course, "autograde", "tiny").returncode == 0


def test_a_student_whom_the_gradebook_does_not_know_can_be_refused(
    course: Path, hand_in: HandIn
) -> None:
    configure(course, "c.Autograde.create_student = False")
    room.enrol(course, {"ann": "Lee, Ann"})
    hand_in("ann")
    hand_in("stranger")
    results = graded(course)
    assert results["ann"].score == 10
    assert results["stranger"].status == "ungradable"
    assert "create_student" in results["stranger"].reason
    assert "stranger" not in room.scores(course, "tiny").index


def test_a_graded_notebook_that_was_deleted_is_graded_again(
    course: Path, hand_in: HandIn
) -> None:
    hand_in("ann")
    graded(course)
    notebook = course / "autograded/ann/tiny/tiny.ipynb"
    notebook.unlink()
    graded(course)
    assert notebook.exists()


def test_nbgrader_s_time_limit_is_the_default_of_ours() -> None:
    config = Config()
    assert Nbproctor(config=config).limits().cell == 60
    config.ExecutePreprocessor.timeout = 7
    limits = Nbproctor(config=config).limits()
    assert (limits.call, limits.cell, limits.submission) == (7, 7, 300)
    config.Execute.timeout = 100
    config.Nbproctor.call_seconds = 2
    limits = Nbproctor(config=config).limits()
    assert (limits.call, limits.cell, limits.submission) == (2, 100, 500)


def test_a_notebook_for_another_language_is_refused_by_name(course: Path) -> None:
    path = course / "source/tiny/tiny.ipynb"
    notebook = json.loads(path.read_text("utf-8"))
    notebook["metadata"]["kernelspec"] = {"name": "ir", "language": "R"}
    path.write_text(json.dumps(notebook))
    (course / "submitted/ann/tiny").mkdir(parents=True)
    with pytest.raises(CourseError, match="notebook for 'r'"):
        graded(course)


def test_cells_whose_marks_are_all_off_are_no_cells_of_the_gradebook(
    course: Path, hand_in: HandIn
) -> None:
    path = course / "source/tiny/tiny.ipynb"
    notebook = json.loads(path.read_text("utf-8"))
    marks = {"grade": False, "solution": False, "locked": False, "task": False}
    notebook["cells"].insert(
        0,
        {
            "cell_type": "code",
            "id": "off",
            "source": "x = 1",
            "metadata": {"nbgrader": marks | {"grade_id": "off", "schema_version": 3}},
            "outputs": [],
            "execution_count": None,
        },
    )
    path.write_text(json.dumps(notebook))
    room.generate(course, "tiny")
    hand_in("ann")
    assert graded(course)["ann"].score == 10
