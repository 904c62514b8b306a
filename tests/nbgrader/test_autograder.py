"""Grading through nbgrader: real gradebooks, real executions, nbgrader's own rules."""

import copy
import csv
import html
import io
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from nbproctor import engine, nbgrader
from nbproctor.cli.table import score_table
from nbproctor.nbgrader import CourseError
from nbproctor.notebook import MasterNotebook
from nbproctor.sandbox import bubblewrap
from nbproctor.submission_result import SubmissionResult
from tests.broken.cases import ANSWERS, CASES, STUB, answered, by_id, text, write
from tests.nbgrader.tiny import (
    HandIn,
    Notebook,
    blank,
    book,
    configure,
    graded,
    run_nbgrader,
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning"),
]
# --- source and release ---------------------------------------------------------


def source_of(course: Path) -> tuple[Path, Notebook]:
    path = course / "source/tiny/tiny.ipynb"
    return path, json.loads(path.read_text("utf-8"))


def nbgrader_meta(notebook: Notebook, name: str) -> dict[str, Any]:
    meta: dict[str, Any] = by_id(notebook, name)["metadata"]["nbgrader"]
    return meta


def test_a_sound_source_passes(course: Path) -> None:
    nbgrader.check_source(source_of(course)[0])


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
    path, notebook = source_of(course)
    damage(notebook)
    path.write_text(json.dumps(notebook))
    with pytest.raises(CourseError, match=said) as caught:
        nbgrader.check_source(path)
    assert str(path) in str(caught.value)


def test_a_heading_over_two_exercises_says_the_points_of_both(course: Path) -> None:
    path, notebook = source_of(course)
    by_id(notebook, "title")["source"] = (
        "# All (10 points)\n```\n# none\n```\nPlot 3 points"
    )
    by_id(notebook, "mean-text")["source"] = "## 2. Plot 7 points"
    path.write_text(json.dumps(notebook))
    nbgrader.check_source(path)


def test_a_release_is_the_same_to_the_byte_every_time(course: Path) -> None:
    path = course / "release/tiny/tiny.ipynb"
    first = path.read_bytes()
    nbgrader.generate(course, "tiny")
    assert path.read_bytes() == first


def test_a_release_shows_neither_solutions_nor_hidden_tests(course: Path) -> None:
    released = (course / "release/tiny/tiny.ipynb").read_text()
    for secret in ("BEGIN", "exact_mean", "sum(numbers)", "-1.5"):
        assert secret not in released


def test_a_release_that_fails_changes_nothing(course: Path) -> None:
    path, notebook = source_of(course)
    cell = by_id(notebook, "mean-values")
    cell["source"] = text(cell).replace("### END HIDDEN TESTS", "")
    path.write_text(json.dumps(notebook))
    before = (course / "release/tiny/tiny.ipynb").read_bytes()
    gradebook = (course / "gradebook.db").read_bytes()
    with pytest.raises(CourseError, match="END HIDDEN TESTS"):
        nbgrader.generate(course, "tiny")
    assert (course / "release/tiny/tiny.ipynb").read_bytes() == before
    assert (course / "gradebook.db").read_bytes() == gradebook
    assert not list(course.glob(".*"))


def test_an_unknown_assignment_is_said_with_the_known_ones(course: Path) -> None:
    for call in (nbgrader.generate, nbgrader.grade, nbgrader.scores):
        with pytest.raises(CourseError, match="tiny"):
            call(course, "huge")


def test_a_folder_that_is_no_course_is_said(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="nbgrader_config"):
        nbgrader.grade(tmp_path, "tiny")


# --- the class ------------------------------------------------------------------


@pytest.mark.slow
def test_the_broken_class_gets_status_and_score_each(
    course: Path, release: Notebook
) -> None:
    for case in CASES:
        case.make(course / "submitted" / case.name / "tiny", answered(release))
    outcomes = graded(course)
    for case in CASES:
        outcome = outcomes[case.name]
        found = outcome.status, outcome.score
        assert found == (case.status, case.score), outcome
        assert case.note in outcome.reason
    table = nbgrader.scores(course, "tiny")
    for case in CASES:
        total = table.loc[case.name, "total"]
        assert total == case.score or (case.score is None and total != total)


def test_scores_are_by_exercise_in_source_order(
    course: Path, release: Notebook, hand_in: HandIn
) -> None:
    hand_in("ann")
    hand_in("bob", mean_of=blank(release, "mean_of"))
    graded(course)
    table = nbgrader.scores(course, "tiny")
    assert list(table.columns) == ["fizz", "mean_of", "total"]
    assert table.loc["ann"].tolist() == [5, 5, 10]
    assert table.loc["bob"].tolist() == [5, 0, 5]


@pytest.mark.slow
def test_nbgraders_own_command_takes_the_same_way(
    course: Path, hand_in: HandIn
) -> None:
    hand_in("ann", "tiny (1).ipynb")
    (course / "submitted/cem/tiny").mkdir(parents=True)
    (course / "submitted/cem/tiny/tiny.pdf").write_bytes(b"%PDF-1.7")
    done = run_nbgrader(course, "autograde", "tiny")
    assert done.returncode == 1  # cem is not graded
    assert "cem: ungradable" in done.stderr
    record = SubmissionResult.read(course / "autograded/ann/tiny")
    assert record is not None
    assert (record.status, record.score) == ("repaired", 10)
    assert run_nbgrader(course, "export").returncode == 0
    with (course / "grades.csv").open() as file:
        exported = {row["student_id"]: row["score"] for row in csv.DictReader(file)}
    assert exported == {"ann": "10.0", "cem": ""}


def test_nbgraders_own_command_makes_a_gradebook(course: Path) -> None:
    (course / "gradebook.db").unlink()
    done = run_nbgrader(course, "generate_assignment", "tiny", "--force")
    assert done.returncode == 0, done.stderr
    with book(course) as made:
        assert [assignment.name for assignment in made.assignments] == ["tiny"]


def test_formgraders_button_takes_the_same_way(
    course: Path, hand_in: HandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nbgrader.apps.api import NbGraderAPI

    from nbproctor.nbgrader.course import load_config

    hand_in("ann", "tiny-Copy1.ipynb")
    monkeypatch.chdir(course)
    result = NbGraderAPI(config=load_config(course)).autograde("tiny", "ann")
    assert result["success"], result
    assert nbgrader.scores(course, "tiny").loc["ann", "total"] == 10


@pytest.mark.slow
def test_scores_are_those_of_stock_nbgrader(
    course: Path, release: Notebook, hand_in: HandIn, tmp_path: Path
) -> None:
    hand_in("right")
    hand_in("blank", **{name: blank(release, name) for name in ANSWERS})
    hand_in("half", fizz="def fizz(n):\n    return str(n)")
    hand_in("part", mean_of="def mean_of(x):\n    return int(sum(x) / len(x))")
    hand_in("raises", mean_of="def mean_of(x):\n    x.sort()\n    raise OSError")
    hand_in("typo", fizz="def fizz(n)\n    return n")
    stock = Path(shutil.copytree(course, tmp_path / "stock"))
    config = stock / "nbgrader_config.py"
    lines = config.read_text().splitlines()
    config.write_text("\n".join(line for line in lines if "proctor" not in line))
    done = run_nbgrader(stock, "autograde", "tiny")
    assert done.returncode == 0, done.stderr
    graded(course)
    expected = nbgrader.scores(stock, "tiny")
    assert nbgrader.scores(course, "tiny").equals(expected)
    assert expected["total"].nunique() >= 4


def test_an_endless_loop_costs_its_own_exercise_only(
    course: Path, hand_in: HandIn
) -> None:
    configure(course, "c.Nbproctor.call_seconds = 0.5")
    hand_in("ann", fizz="def fizz(n):\n    while True:\n        pass")
    hand_in("bob")
    outcomes = graded(course)
    assert (outcomes["ann"].status, outcomes["ann"].score) == ("partial", 5)
    assert "`fizz` was stopped" in outcomes["ann"].reason
    assert (outcomes["bob"].status, outcomes["bob"].score) == ("graded", 10)


def test_one_submission_that_nbgrader_cannot_process_does_not_end_the_class(
    course: Path, hand_in: HandIn
) -> None:
    configure(
        course,
        "from nbgrader.preprocessors import NbGraderPreprocessor",
        "class Bomb(NbGraderPreprocessor):",
        "    def preprocess(self, nb, resources):",
        "        if resources['nbgrader']['student'] == 'bob':",
        "            raise ValueError('no room for bob')",
        "        return nb, resources",
        "c.Autograde.autograde_preprocessors.append(Bomb)",
    )
    for student in ("ann", "bob", "cem"):
        hand_in(student)
    outcomes = graded(course)
    assert outcomes["bob"].status == "ungradable"
    assert "no room for bob" in outcomes["bob"].reason
    assert outcomes["ann"].score == outcomes["cem"].score == 10
    assert nbgrader.scores(course, "tiny").loc["bob"].isna().all()


def test_what_was_handed_in_is_never_touched(course: Path, release: Notebook) -> None:
    for case in CASES[:12]:
        case.make(course / "submitted" / case.name / "tiny", answered(release))
    place = course / "submitted"
    files = [path for path in place.rglob("*") if path.is_file()]
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}
    graded(course)
    assert {p for p in place.rglob("*") if p.is_file()} == set(before)
    for path, (content, changed) in before.items():
        assert (path.read_bytes(), path.stat().st_mtime_ns) == (content, changed)


def test_students_who_handed_in_nothing_are_missing_and_have_no_score(
    course: Path, hand_in: HandIn
) -> None:
    with book(course) as gradebook:
        gradebook.add_student("zoe")
    hand_in("ann")
    outcome = graded(course)["zoe"]
    assert (outcome.status, outcome.score) == ("missing", None)
    assert nbgrader.scores(course, "tiny").loc["zoe"].isna().all()


def test_students_are_enrolled_by_name_and_graded_under_it(
    course: Path, hand_in: HandIn
) -> None:
    hand_in("ann")
    nbgrader.enrol(course, {"ann": "O'Neil, Ann", "bob": "Bob"})
    assert {name: o.status for name, o in graded(course).items()} == {
        "ann": "graded",
        "bob": "missing",
    }
    with book(course) as there:
        found = {s.id: (s.last_name, s.first_name) for s in there.students}
    assert found == {"ann": ("O'Neil", "Ann"), "bob": ("Bob", "")}


def test_an_empty_class_is_said(course: Path) -> None:
    with pytest.raises(CourseError, match="submitted"):
        nbgrader.grade(course, "tiny")


def test_only_the_students_asked_for_are_graded(course: Path, hand_in: HandIn) -> None:
    for student in ("ann", "bob", "cem"):
        hand_in(student)
    assert list(graded(course, students={"ann", "cem"})) == ["ann", "cem"]


def test_a_broken_test_is_said_to_be_broken_and_grades_nothing(
    course: Path, hand_in: HandIn
) -> None:
    path, notebook = source_of(course)
    by_id(notebook, "mean-oracle")["source"] = (
        "### BEGIN HIDDEN TESTS\nexact_mean = 1 / 0\n### END HIDDEN TESTS"
    )
    path.write_text(json.dumps(notebook))
    nbgrader.generate(course, "tiny")
    hand_in("ann")
    outcome = graded(course)["ann"]
    assert (outcome.status, outcome.score) == ("partial", None)
    assert "test is broken" in outcome.reason
    row = nbgrader.scores(course, "tiny").loc["ann"]
    assert row["fizz"] == 5
    assert row.isna().tolist() == [False, True, True]


# --- never an old score for a new submission --------------------------------------


def test_a_resubmission_that_cannot_be_graded_has_no_score(
    course: Path, hand_in: HandIn
) -> None:
    path = hand_in("ann")
    assert graded(course)["ann"].score == 10
    whole = path.read_bytes()
    path.write_bytes(whole[:-300])
    outcome = graded(course)["ann"]
    assert (outcome.status, outcome.score) == ("ungradable", None)
    assert nbgrader.scores(course, "tiny").loc["ann"].isna().all()
    with book(course) as gradebook:
        found = gradebook.find_submission("tiny", "ann")
        assert found.needs_manual_grade
        comments = [c.comment for c in found.notebooks[0].comments]
        assert all("cut short" in comment for comment in comments)
    assert not (course / "autograded/ann/tiny/tiny.ipynb").exists()
    # And back again: nothing of the bad time is left.
    path.write_bytes(whole)
    assert graded(course)["ann"].score == 10
    with book(course) as gradebook:
        found = gradebook.find_submission("tiny", "ann")
        assert not found.needs_manual_grade
        assert [c.comment for c in found.notebooks[0].comments] == [None, None]


def test_a_better_resubmission_is_graded_without_being_forced(
    course: Path, release: Notebook, hand_in: HandIn
) -> None:
    hand_in("ann", fizz=blank(release, "fizz"))
    assert graded(course)["ann"].score == 5
    hand_in("ann")
    assert graded(course)["ann"].score == 10


def test_a_forged_report_is_not_believed(course: Path, hand_in: HandIn) -> None:
    hand_in("bob")
    graded(course)
    record = json.loads((course / "autograded/bob/tiny/grading.json").read_text())
    record |= {"student": "ann", "score": 10}
    folder = hand_in("ann", fizz="", mean_of="").parent
    (folder / "grading.json").write_text(json.dumps(record))
    assert graded(course)["ann"].score == 0
    assert graded(course)["ann"].score == 0


def test_a_source_that_changed_after_the_release_is_not_graded_with(
    course: Path, hand_in: HandIn
) -> None:
    hand_in("ann")
    path, notebook = source_of(course)
    cell = by_id(notebook, "fizz-numbers")
    cell["source"] = text(cell).replace("-4", "-5")
    path.write_text(json.dumps(notebook))
    with pytest.raises(CourseError, match=r"fizz-numbers.*Make the release again"):
        nbgrader.grade(course, "tiny")
    assert not list((course / "autograded").glob("*/tiny"))


def test_the_gradebook_of_another_course_is_said(course: Path, hand_in: HandIn) -> None:
    hand_in("ann")
    configure(course, "c.CourseDirectory.course_id = 'other'")
    with pytest.raises(CourseError, match="'tiny', not of 'other'"):
        nbgrader.grade(course, "tiny")


# --- interruptions ----------------------------------------------------------------


def leftovers(course: Path) -> list[Path]:
    return list(course.glob(".nbproctor-*"))


def test_the_same_call_finishes_a_class_after_ctrl_c(
    course: Path, hand_in: HandIn
) -> None:
    for student in ("ann", "bob", "cem"):
        hand_in(student)

    def interrupt(outcome: SubmissionResult) -> None:
        if outcome.student == "bob":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        nbgrader.grade(course, "tiny", progress=interrupt)
    assert not leftovers(course)
    assert {name: o.score for name, o in graded(course).items()} == {
        "ann": 10,
        "bob": 10,
        "cem": 10,
    }


KILLED = """
import os, signal, sys
from pathlib import Path
from nbproctor import nbgrader
from nbproctor.sandbox import bubblewrap
from nbproctor import engine
from nbproctor.nbgrader import autograder, status

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

if sys.argv[2] == "saved":
    status.finish = die  # grades are in the gradebook, the report is not written
else:
    autograder.ProctoredAutograde.convert_single_notebook = die
nbgrader.grade(Path(sys.argv[1]), "tiny")
"""


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["saved", "staged"])
def test_the_same_call_finishes_a_class_after_a_kill(
    course: Path, hand_in: HandIn, moment: str
) -> None:
    for student in ("ann", "bob"):
        hand_in(student)
    project = Path(__file__).parents[2]
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(course), moment],
        env=os.environ | {"PYTHONPATH": str(project)},
        timeout=60,
    )
    assert killed.returncode == -signal.SIGKILL
    assert leftovers(course)
    assert {name: o.score for name, o in graded(course).items()} == {
        "ann": 10,
        "bob": 10,
    }
    assert not leftovers(course)


FULL = """
import json, shutil, sys
from pathlib import Path
from nbproctor import nbgrader

course = Path(shutil.copytree(sys.argv[1], Path(sys.argv[2]) / "course"))
filler = course.parent / "filler"

def fill(outcome):
    with open(filler, "wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            pass  # the disk is full

try:
    nbgrader.grade(course, "tiny", progress=fill)
    said = ""
except nbgrader.CourseError as error:
    said = str(error)
filler.unlink()
outcomes = nbgrader.grade(course, "tiny")
print(json.dumps([said, {o.student: o.score for o in outcomes}]))
"""


def test_a_full_disk_ends_the_run_and_loses_nothing(
    course: Path, hand_in: HandIn, tmp_path: Path
) -> None:
    if (problem := bubblewrap.failure()) is not None:
        pytest.skip(f"no small disk can be made here: {problem}")
    for student in ("ann", "bob", "cem"):
        hand_in(student)
    small = tmp_path / "small"
    small.mkdir()
    disk = ["bwrap", "--dev-bind", "/", "/", "--size", str(4 << 20), "--tmpfs"]
    done = subprocess.run(
        [*disk, str(small), sys.executable, "-c", FULL, str(course), str(small)],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    said, scores = json.loads(done.stdout)
    assert "disk is full" in said and "same command again" in said, said
    assert scores == {"ann": 10, "bob": 10, "cem": 10}


def test_a_half_made_result_is_made_again(course: Path, hand_in: HandIn) -> None:
    hand_in("ann")
    half = course / "autograded/ann/tiny"
    half.mkdir(parents=True)
    (half / "tiny.ipynb").write_text("{")
    assert graded(course)["ann"].score == 10
    assert json.loads((half / "tiny.ipynb").read_text())["cells"]


def test_what_is_graded_is_not_graded_again(course: Path, hand_in: HandIn) -> None:
    hand_in("ann")
    graded(course)
    result = course / "autograded/ann/tiny/tiny.ipynb"
    before = result.stat().st_mtime_ns
    assert graded(course)["ann"].score == 10
    assert result.stat().st_mtime_ns == before
    assert graded(course, force=True)["ann"].score == 10
    assert result.stat().st_mtime_ns != before


def test_what_was_graded_under_other_conditions_is_graded_again(
    course: Path, hand_in: HandIn
) -> None:
    helper = course / "source/tiny/helper.py"
    helper.write_text("WORD = 'fuzz'\n")
    slow = "import time\n\ndef mean_of(xs):\n    time.sleep(1)\n"
    hand_in(
        "ann",
        fizz="from helper import WORD\n\ndef fizz(n):\n"
        "    return WORD if n % 3 == 0 else str(n)",
        mean_of=slow + "    return sum(xs) / len(xs)",
    )
    configure(course, "c.Nbproctor.call_seconds = 0.2")
    assert graded(course)["ann"].score < 5
    helper.write_text("WORD = 'fizz'\n")
    assert graded(course)["ann"].score == 5
    configure(course, "c.Nbproctor.call_seconds = 5")
    assert graded(course)["ann"].score == 10


def test_what_the_gradebook_has_lost_is_graded_again(
    course: Path, hand_in: HandIn
) -> None:
    hand_in("ann")
    graded(course)
    (course / "gradebook.db").unlink()
    nbgrader.generate(course, "tiny")
    assert graded(course)["ann"].score == 10
    assert nbgrader.scores(course, "tiny").loc["ann", "total"] == 10
    with sqlite3.connect(course / "gradebook.db") as connection:
        connection.execute("UPDATE grade SET auto_score = NULL WHERE auto_score = 3")
    assert graded(course)["ann"].score == 10
    assert nbgrader.scores(course, "tiny").loc["ann", "total"] == 10


def test_a_failure_of_the_computer_is_not_the_student_s_for_ever(
    course: Path, hand_in: HandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise engine.ExecutionError("Its execution failed twice: no memory.")

    hand_in("ann")
    with monkeypatch.context() as broken:
        broken.setattr("nbproctor.engine.pool.execute", fail)
        assert graded(course)["ann"].status == "ungradable"
    assert graded(course)["ann"].score == 10


def test_where_nothing_can_be_executed_earlier_results_are_kept(
    course: Path, hand_in: HandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise engine.EngineError("no layer of the sandbox is here")

    hand_in("ann")
    graded(course)
    monkeypatch.setattr("nbproctor.engine.servers._start", fail)
    with pytest.raises(CourseError, match="no layer"):
        graded(course, force=True)
    assert (course / "autograded/ann/tiny/tiny.ipynb").exists()
    assert nbgrader.scores(course, "tiny").loc["ann", "total"] == 10


def test_files_of_the_assignment_are_there_for_lint_and_for_grading(
    course: Path, hand_in: HandIn
) -> None:
    source = course / "source/tiny"
    (source / "data").mkdir()
    (source / "data/word.txt").write_text("fizz")
    (source / "given.py").write_text("WORD = open('data/word.txt').read()\n")
    notebook = json.loads((source / "tiny.ipynb").read_text("utf-8"))
    setup = by_id(notebook, "setup")
    setup["source"] = text(setup) + "\nfrom given import WORD\nassert WORD == 'fizz'"
    (source / "tiny.ipynb").write_text(json.dumps(notebook), "utf-8")
    nbgrader.generate(course, "tiny")
    assert nbgrader.lint(course, "tiny") == []
    hand_in("ann", fizz="def fizz(n):\n    return str(n) if n % 3 else WORD")
    assert graded(course)["ann"].score == 10


def test_cells_of_a_notebook_run_in_its_own_order(
    course: Path, hand_in: HandIn
) -> None:
    path, notebook = source_of(course)
    setup = by_id(notebook, "setup")
    given, locked = copy.deepcopy(setup), copy.deepcopy(setup)
    for number, (made, source) in enumerate(
        [(given, "start = 7"), (locked, "three = start")]
    ):
        made["id"] = made["metadata"]["nbgrader"]["grade_id"] = f"more{number}"
        made["source"] = source
    given["metadata"] = {}
    setup["source"] = text(setup) + "\nstart = 3\nthree = 3"
    place = notebook["cells"].index(setup) + 1
    notebook["cells"][place:place] = [given, locked]
    path.write_text(json.dumps(notebook), "utf-8")
    nbgrader.generate(course, "tiny")
    code = "def fizz(n):\n    return str(n) if n % three else 'fizz'"
    released = json.loads((course / "release/tiny/tiny.ipynb").read_text("utf-8"))
    for student, start in {"ann": "start = 3", "bob": "start = 7"}.items():
        answers = answered(released)
        by_id(answers, "fizz")["source"] = code
        by_id(answers, "more0")["source"] = start
        write(course / "submitted" / student / "tiny", answers)
    outcomes = graded(course)
    assert outcomes["ann"].score == 10
    assert outcomes["bob"].score < 10  # as in a notebook that runs from the top


def test_the_gradebook_writes_ahead_and_is_safe_in_a_crash(course: Path) -> None:
    with book(course) as gradebook, gradebook.engine.connect() as connection:
        connection = connection.connection.dbapi_connection
        assert isinstance(connection, sqlite3.Connection)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (1,)


# --- nbgrader's own behaviour is kept ----------------------------------------------


def test_partial_credit_by_number_is_kept(course: Path, hand_in: HandIn) -> None:
    hand_in("ann", mean_of="def mean_of(x):\n    return int(sum(x) / len(x))")
    graded(course)
    with book(course) as gradebook:
        grade = gradebook.find_grade("mean-values", "tiny", "tiny", "ann")
        assert (grade.auto_score, grade.max_score) == (1, 3)


def test_late_penalties_are_kept(course: Path, hand_in: HandIn) -> None:
    configure(
        course,
        "from nbgrader.plugins import LateSubmissionPlugin",
        "class AnHourAPoint(LateSubmissionPlugin):",
        "    def late_submission_penalty(self, student, score, seconds):",
        "        return seconds // 3600",
        "c.AssignLatePenalties.plugin_class = AnHourAPoint",
    )
    with book(course) as gradebook:
        gradebook.update_or_create_assignment("tiny", duedate="2030-01-01 12:00 UTC")
    for student, when in (("ann", "14:00"), ("bob", "11:59"), ("cem", "tomorrow?")):
        folder = hand_in(student).parent
        (folder / "timestamp.txt").write_text(f"2030-01-01 {when} UTC")
    outcomes = graded(course)
    assert (outcomes["ann"].status, outcomes["ann"].score) == ("late", 8)
    assert "2.0 hours late" in outcomes["ann"].reason
    assert outcomes["bob"].score == outcomes["cem"].score == 10
    assert nbgrader.scores(course, "tiny").loc["ann"].tolist() == [5, 5, 8]


def test_the_table_shows_what_was_graded_by_hand_since(
    course: Path, hand_in: HandIn
) -> None:
    hand_in("ann", fizz="")
    graded(course)
    with book(course) as gradebook:
        found = gradebook.find_submission("tiny", "ann").notebooks[0]
        for grade in found.grades:
            grade.manual_score = grade.max_score
        gradebook.db.commit()
    outcomes = list(graded(course).values())
    assert [o.score for o in outcomes] == [5.0]
    scores = nbgrader.scores(course, "tiny")
    master = MasterNotebook.read(course / "source/tiny/tiny.ipynb")
    console = Console(file=io.StringIO(), width=100)
    console.print(score_table(scores, outcomes, [master], {}))
    assert re.search(r"ann +5 +5 +10 +graded", console.file.getvalue())


def test_manual_grades_outlive_grading_again(course: Path, hand_in: HandIn) -> None:
    hand_in("ann", fizz="def fizz(n):\n    return 'almost'")
    assert graded(course)["ann"].score == 5
    with book(course) as gradebook:
        grade = gradebook.find_grade("fizz-numbers", "tiny", "tiny", "ann")
        grade.manual_score, grade.needs_manual_grade = 1.5, False
        gradebook.db.commit()
    assert graded(course, force=True)["ann"].score == 6.5
    with book(course) as gradebook:
        grade = gradebook.find_grade("fizz-numbers", "tiny", "tiny", "ann")
        assert (grade.manual_score, grade.needs_manual_grade) == (1.5, True)


HELPED = "import helper\n\ndef fizz(n):\n    return helper.rule(n)"
RIGHT = "def rule(n):\n    return str(n) if n % 3 else 'fizz'\n"
WRONG = "def rule(n):\n    return 'wrong'\n"


@pytest.mark.parametrize(("excluded", "score"), [(False, 10), (True, 5)])
def test_exclude_overwriting_is_kept(
    course: Path, hand_in: HandIn, excluded: bool, score: float
) -> None:
    if excluded:
        configure(course, "c.Autograde.exclude_overwriting = {'tiny': ['helper.py']}")
    (course / "source/tiny/helper.py").write_text(RIGHT)
    (hand_in("ann", fizz=HELPED).parent / "helper.py").write_text(WRONG)
    assert graded(course)["ann"].score == score
    kept = (course / "autograded/ann/tiny/helper.py").read_text()
    assert kept == (WRONG if excluded else RIGHT)


def test_extra_files_are_in_the_working_directory(
    course: Path, hand_in: HandIn
) -> None:
    (course / "source/tiny/given").mkdir()
    (course / "source/tiny/given/three.txt").write_text("3")
    folder = hand_in(
        "ann",
        fizz="from pathlib import Path\n\ndef fizz(n):\n"
        "    three = int(Path('given/three.txt').read_text())\n"
        "    word = Path('word.txt').read_text()\n"
        "    return str(n) if n % three else word",
    ).parent
    (folder / "word.txt").write_text("fizz")
    assert graded(course)["ann"].score == 10
    result = course / "autograded/ann/tiny"
    assert (result / "word.txt").read_text() == "fizz"
    assert (result / "given/three.txt").read_text() == "3"


def test_a_module_named_like_a_library_harms_nobody(
    course: Path, hand_in: HandIn
) -> None:
    for name in ("numpy", "json", "fractions", "nbproctor"):
        (hand_in("ann").parent / f"{name}.py").write_text("raise SystemExit")
    hand_in("bob")
    assert {name: o.score for name, o in graded(course).items()} == {
        "ann": 10,
        "bob": 10,
    }


def test_everybody_who_handed_in_gets_a_page(
    course: Path, release: Notebook, hand_in: HandIn
) -> None:
    hand_in("ann", fizz=blank(release, "fizz"))
    hand_in("cem").write_text("<b>no notebook")
    outcomes = graded(course)
    pages = nbgrader.feedback(course, "tiny")
    assert "fizz" in (pages / "ann/tiny/tiny.html").read_text()
    page = (pages / "cem/tiny/tiny.html").read_text()
    assert outcomes["cem"].reason in html.unescape(page)
    assert "not a zero" in page


def test_an_old_page_does_not_stand_for_a_new_submission(
    course: Path, hand_in: HandIn
) -> None:
    page = course / "feedback/ann/tiny/tiny.html"
    pages = []
    for name in ("tiny.ipynb", "broken.ipynb", "tiny.ipynb"):
        shutil.rmtree(course / "submitted", ignore_errors=True)
        handed_in = hand_in("ann", name)
        if name == "broken.ipynb":
            handed_in.write_text("{")
        graded(course)
        assert not page.exists()
        run_nbgrader(course, "generate_feedback", "tiny")
        pages.append(page.read_text())
        nbgrader.feedback(course, "tiny")
        assert page.read_text() == pages[-1]
    assert ["Could not be graded" in text for text in pages] == [False, True, False]


def test_feedback_shows_no_hidden_test(course: Path, hand_in: HandIn) -> None:
    own = "def fizz(n):\n    ### BEGIN HIDDEN TESTS\n    return 'my own line'"
    hand_in("ann", fizz=own)
    graded(course)
    assert run_nbgrader(course, "generate_feedback", "tiny").returncode == 0
    page = (course / "feedback/ann/tiny/tiny.html").read_text("utf-8")
    shown = html.unescape(re.sub("<[^>]+>", "", page))
    _, source = source_of(course)
    hidden = [
        text(cell).partition("### BEGIN HIDDEN TESTS\n")[2].splitlines()[0]
        for cell in source["cells"]
        if "BEGIN HIDDEN" in text(cell)
    ]
    assert len(hidden) == 5  # one of them the tools, in a cell without points
    for line in hidden:
        assert line not in shown
    assert "Checked here: multiples of three, zero and negative ones too." in shown
    assert 'assert got == want, f"fizz(3) should be' in shown  # the public test
    assert "return 'my own line'" in shown  # a marker there hides nothing
    report = json.loads(
        (course / "autograded/ann/tiny/grading.json").read_text("utf-8")
    )
    for verdict in report["verdicts"]["tiny"]:
        assert verdict["message"] in shown  # no more is said there than here
        assert not (verdict["printed"] and verdict["max_points"])


def test_feedback_before_any_grading_is_said(course: Path) -> None:
    with pytest.raises(CourseError, match="graded yet"):
        nbgrader.feedback(course, "tiny")


def test_the_stub_of_the_table_is_the_one_of_the_course(release: Notebook) -> None:
    assert all(STUB in blank(release, name) for name in ANSWERS)
