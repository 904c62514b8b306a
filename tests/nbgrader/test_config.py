"""Switching nbproctor on: never silently stock nbgrader, whatever is configured."""

from __future__ import annotations

import csv
import json
import math
import shutil
import socket
from pathlib import Path

import pytest
from traitlets.config import Config
from traitlets.config.loader import DeferredConfigString

from nbproctor import nbgrader as room
from nbproctor.cli.app import choose
from nbproctor.kit.starter import SWITCH
from nbproctor.nbgrader.course import Course
from nbproctor.nbgrader.export import Export
from nbproctor.nbgrader.feedback import report
from nbproctor.nbgrader.options import Nbproctor
from nbproctor.platforms import Person
from nbproctor.results import SubmissionResult
from tests.broken.cases import by_id, write
from tests.broken.cases import text as text_of
from tests.nbgrader.tiny import (
    HandIn,
    book,
    configure,
    graded,
    released,
    run_nbgrader,
    solved,
    source_of,
)
from tests.notebooks import cell
from tests.programs import run_python
from tests.timing import patience

pytestmark = pytest.mark.slow

CONFIG = "nbgrader_config.py"
PASSING = """
from nbgrader.preprocessors import NbGraderPreprocessor
class Passing(NbGraderPreprocessor):
    def preprocess(self, nb, resources):
        with open(str(self.parent.parent.coursedir.root) + "/passed", "a") as file:
            file.write("x")
        return nb, resources
"""


BOTH = (
    "c.Autograde.sanitize_preprocessors.insert(0, Passing)\n"
    "c.Autograde.autograde_preprocessors.append(Passing)"
)
NAMED = (
    "c.Autograde.autograde_preprocessors = ['nbgrader.preprocessors.Execute', "
    "'nbgrader.preprocessors.SaveAutoGrades', Passing]"
)


@pytest.mark.parametrize(
    ("config_path", "lines", "passed"),
    [("before", BOTH, 2), ("after", NAMED, 1)],
)
def test_the_pipelines_can_be_configured_in_every_way(
    course: Path,
    hand_in: HandIn,
    config_path: str,
    lines: str,
    passed: int,
) -> None:
    lines = f"{PASSING}{lines}\n"
    if config_path == "after":
        configure(course, lines)
    else:
        text = (course / CONFIG).read_text()
        before, call, after = text.partition("proctor(c)")
        (course / CONFIG).write_text(f"{before}{lines}{call}{after}")
    hand_in("ann", fizz="def fizz(n):\n    return str(n)")
    assert graded(course)["ann"].score == 7
    assert (course / "passed").read_text() == "x" * passed


# Configurations and command lines that are refused, and words of the refusal.
REFUSED = {
    "1 / 0": "ZeroDivisionError",
    "c.Autograde.autograde_preprocessors = ['nbgrader.preprocessors.SaveAutoGrades']": (
        "does not contain nbgrader's Execute"
    ),
    "--no-execute": "nbproctor always runs",
}


@pytest.mark.parametrize("change", REFUSED)
def test_where_the_sandbox_would_be_left_out_nothing_is_graded(
    course: Path,
    hand_in: HandIn,
    change: str,
) -> None:
    hand_in("ann")
    option = change.startswith("--")
    text = (course / CONFIG).read_text()
    if not option:
        (course / CONFIG).write_text(
            text.replace("proctor(c)", f"{change}\nproctor(c)")
        )
    options = [change] * option
    message = run_nbgrader(course, "autograde", "tiny", *options, status=1)
    assert REFUSED[change] in message and "Nothing is graded" in message
    assert not (course / "autograded").exists()


FORMGRADER = """
from nbgrader.apps import NbGraderAPI
from nbgrader.apps.baseapp import NbGrader
app = NbGrader()
app.initialize([])
app.load_config_file()
api = NbGraderAPI(config=app.config)
print(api.get_assignment('tiny')['name'])
print(api.autograde('tiny', 'ann')['log'])
"""


def test_where_nbproctor_is_not_installed_only_grading_is_refused(
    course: Path, hand_in: HandIn
) -> None:
    """By the lines that `init` writes: views, lists and other commands go on."""
    hand_in("ann")
    missing = SWITCH.replace("from nbproctor ", "from nbproctor_is_missing ")
    (course / CONFIG).write_text("c = get_config()\n" + missing)
    message = run_nbgrader(course, "autograde", "tiny", status=1)
    assert "Nothing is graded" in message
    assert "No module named 'nbproctor_is_missing'" in message
    assert "Traceback" not in message
    assert not (course / "autograded").exists()
    listed = run_nbgrader(course, "db", "student", "list")
    nothing_to_show = run_nbgrader(course, "generate_feedback", "tiny", status=1)
    assert "nbproctor_is_missing" not in listed + nothing_to_show
    button = run_python(FORMGRADER, cwd=course)
    assert button.stdout.startswith("tiny\n"), button.stderr
    assert "Nothing is graded" in button.stdout


FIZZ = """import multiprocessing, numpy, os, socket
def fizz(n):
    {}
    return "fizz" if n % 3 == 0 else str(n)
"""


def test_what_answers_may_use_is_configured(
    course: Path,
    hand_in: HandIn,
    tmp_path: Path,
) -> None:
    word = tmp_path / "word"
    word.write_text("a")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        needs = {
            f"c.Nbproctor.readable = ['{word}', '/gone']": f"open('{word}')",
            "c.Nbproctor.memory_megabytes = 2048": "numpy.empty(1500 << 20, 'B')",
            "c.Nbproctor.environment = {'WORD': 'a'}": "os.environ['WORD']",
            "c.Nbproctor.network = ['tiny']": "socket.create_connection"
            f"({listening.getsockname()})",
        }
        for number, code in enumerate(needs.values()):
            hand_in(f"student{number}", fizz=FIZZ.format(code))
        before = [result.score for result in graded(course).values()]
        configure(course, *needs)
        assert {result.score for result in graded(course).values()} == {10}
    assert before == [None, 5, 5, None]  # what was forbidden is not judged
    standings = room.participants(Course(course, "tiny"))
    page = report(Course(course, "tiny"), standings)[0].read_text()
    assert "Answers may use the network" in page and "cannot read /gone: c.Nb" in page


def test_an_ungradable_submission_makes_the_exit_status_1(
    course: Path, hand_in: HandIn
) -> None:
    hand_in("ann", "tiny (1).ipynb")
    (course / "submitted/bob/tiny").mkdir(parents=True)
    message = run_nbgrader(course, "autograde", "tiny", status=1)
    assert message.count("Could not be graded: bob.") == 1
    assert "bob: ungradable" in message
    ann = SubmissionResult.read(course / "autograded/ann/tiny")
    assert ann is not None and (ann.status, ann.score) == ("repaired", 10)


def test_a_student_whom_the_gradebook_does_not_know_can_be_refused(
    course: Path, hand_in: HandIn
) -> None:
    configure(course, "c.Autograde.create_student = False")
    room.enrol(Course(course), [Person("ann", "Lee", "Ann")])
    hand_in("ann")
    hand_in("stranger")
    results = graded(course)
    assert results["ann"].score == 10
    assert results["stranger"].status == "ungradable"
    assert "create_student" in results["stranger"].reason
    assert "stranger" not in room.scores(course, "tiny").index


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
    for timeout, seconds in ("7", 7), ("None", 60), ("-1", 60):  # of the command line
        config = Config()
        config.Execute.timeout = DeferredConfigString(timeout)
        assert Nbproctor(config=config).limits().cell == seconds


# ---- nbgrader's own options ----------------------------------------------------------


def test_header_and_footer_belong_to_the_notebook(
    course: Path, hand_in: HandIn
) -> None:
    test = cell("foot", "assert zero == 0", grade=True, points=2)
    with source_of(course, release=False) as notebook:
        footer = dict(notebook, cells=[test])
        header = dict(notebook, cells=[cell("head", "zero = 0")])
        numbers = by_id(notebook, "fizz-numbers")
        numbers["source"] = "assert zero == 0\n" + text_of(numbers)
    (course / "header.ipynb").write_text(json.dumps(header))
    (course / "footer.ipynb").write_text(json.dumps(footer))
    configure(
        course,
        "c.IncludeHeaderFooter.header = 'header.ipynb'",
        "c.IncludeHeaderFooter.footer = 'footer.ipynb'",
    )
    assert room.lint(course, "tiny") == []
    room.generate(course, "tiny")
    release = released(course)
    assert [release["cells"][n]["id"] for n in (0, -1)] == ["head", "foot"]
    hand_in("ann")
    assert graded(course)["ann"].score == 12
    assert all(check.passed for check in room.check_release(Course(course, "tiny")))


def test_two_notebooks_with_equal_names_are_never_taken_for_each_other(
    course: Path, hand_in: HandIn
) -> None:
    path = course / "source/tiny/tiny.ipynb"
    shutil.copy(path, path.with_name("other.ipynb"))
    room.generate(course, "tiny")
    wrong = solved(course, fizz="def fizz(n):\n    return str(n)")
    hand_in("ann")
    write(course / "submitted/ann/tiny", wrong, "other.ipynb")
    hand_in("bob", "other.ipynb")
    results = graded(course)
    assert (results["ann"].score, results["ann"].max_score) == (17, 20)
    assert results["bob"].status == "partial"
    with book(course) as gradebook:
        scores = {
            n.name: n.score for n in gradebook.find_submission("tiny", "ann").notebooks
        }
    assert scores == {"tiny": 10, "other": 7}
    room.feedback(course, "tiny")
    assert len(list((course / "feedback/ann/tiny").glob("*.html"))) == 2
    # And the one that is not chosen keeps what it has: nbgrader alone gives it zeros.
    chosen = "--student=ann", "--notebook=tiny", "--force"
    run_nbgrader(course, "autograde", "tiny", *chosen)
    assert room.scores(course, "tiny").loc["ann", "total"] == 17


def test_nbgraders_own_command_takes_folders_and_options_from_the_course(
    course: Path, hand_in: HandIn
) -> None:
    """nbgrader makes its view of the folders before it reads the configuration."""
    hand_in(
        "ann", fizz=FIZZ.format("pass") + "def fizz(n):\n    raise NotImplementedError"
    )
    names = {
        "source": "src",
        "submitted": "in",
        "release": "out/students",
    }
    for stock, name in names.items():
        (course / name).parent.mkdir(exist_ok=True)
        (course / stock).rename(course / name)
    names |= {"autograded": "graded", "feedback": "pages"}
    folders = (f"c.CourseDirectory.{k}_directory = {v!r}" for k, v in names.items())
    configure(course, *folders)
    assert [c for c in room.check_release(Course(course, "tiny")) if not c.passed] == []
    for repairs, score in ("True", 10), ("False", 5):
        configure(course, f"c.Nbproctor.repair_answers = {repairs}")
        run_nbgrader(course, "autograde", "tiny", "--force")
        ann = SubmissionResult.read(course / "graded/ann/tiny")
        assert ann is not None and ann.score == score
    assert choose(Course(course), None).assignment == "tiny"
    room.feedback(course, "tiny")
    assert (course / "pages/ann/tiny/tiny.html").is_file()


@pytest.mark.parametrize(
    ("option", "mode", "folder_mode"),
    [
        ("c.Autograde.permissions = 640", 0o640, None),
        ("c.CourseDirectory.groupshared = True", 0o664, 0o2775),
    ],
)
def test_files_get_the_rights_that_nbgrader_gives(
    course: Path,
    hand_in: HandIn,
    option: str,
    mode: int,
    folder_mode: int | None,
) -> None:
    configure(course, option)
    hand_in("ann")
    graded(course)
    folder = course / "autograded/ann/tiny"
    assert (folder / "tiny.ipynb").stat().st_mode & 0o7777 == mode
    if folder_mode is not None:
        assert folder.stat().st_mode & 0o7777 == folder_mode


def test_questions_and_tasks_wait_for_a_person_and_unmarked_cells_for_nobody(
    course: Path, hand_in: HandIn
) -> None:
    by_hand = {
        "grade": True,
        "solution": True,
        "locked": False,
        "points": 2,
    }
    with source_of(course) as notebook:
        notebook["cells"].insert(0, cell("off", "x = 1", locked=False))
        notebook["cells"] += [
            cell("by-hand", "## 3. By hand", "markdown"),
            cell("why", "Why?", "markdown", **by_hand),
            cell("draw", "# Draw.", **by_hand),
            cell("task", "Do it.", "markdown", task=True, points=3),
        ]
    assert room.lint(course, "tiny") == []
    hand_in("ann", why="Because.", draw="print('drawn')")
    result = graded(course)["ann"]
    assert (result.score, result.max_score) == (None, 17)
    _, _, waiting = result.reason.partition("To be graded by hand: ")
    assert set(waiting.rstrip(".").split(", ")) == {"draw", "task", "why"}
    with book(course) as gradebook:
        assert gradebook.find_submission("tiny", "ann").needs_manual_grade


def test_a_cell_of_the_source_that_never_ends_costs_lint_one_line(course: Path) -> None:
    configure(course, f"c.ExecutePreprocessor.timeout = {math.ceil(patience())}")
    with source_of(course, release=False) as notebook:
        never = "import time\nif fizz(3) == 'fizz':\n    time.sleep(99)"
        by_id(notebook, "fizz-numbers")["source"] = never
    faults = room.lint(course, "tiny")
    assert {fault.partition(" in ")[2].split()[0] for fault in faults} == {
        "fizz-numbers"
    }
    graders = {fault.partition(":")[0] for fault in faults}
    assert graders == {"nbproctor", "stock nbgrader"}


def test_a_configuration_in_the_home_folder_holds_for_every_command(
    course: Path,
    hand_in: HandIn,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(home))
    (home / CONFIG).write_text(
        "c = get_config()\nc.CourseDirectory.submitted_directory = 'elsewhere'\n"
        "c.CourseDirectory.course_id = 'of the home folder'\n"
    )  # of two in one folder, JSON counts
    counts = {"CourseDirectory": {"submitted_directory": "handed_in"}}
    (home / "nbgrader_config.json").write_text(json.dumps(counts))
    hand_in("ann")
    (course / "submitted").rename(course / "handed_in")
    assert graded(course)["ann"].score == 10
    run_nbgrader(course, "autograde", "tiny", "--force")


def test_an_exporter_of_the_course_is_told_which_zeros_are_none(
    course: Path, hand_in: HandIn
) -> None:
    (course / "mine.py").write_text(
        "from nbgrader.plugins import CsvExportPlugin\n"
        "class Mine(CsvExportPlugin):\n    pass\n"
    )
    hand_in("ann")
    (course / "submitted/bob/tiny").mkdir(parents=True)
    graded(course)
    message = run_nbgrader(course, "export", "--exporter=mine.Mine")
    assert "writes for these students is not a mark: bob (tiny)" in message
    with book(course) as gradebook:
        Export(to=str(course / "grades.csv")).export(gradebook)
    rows = csv.DictReader((course / "grades.csv").open())
    assert {row["student_id"]: row["score"] for row in rows} == {
        "ann": "10.0",
        "bob": "",
    }
