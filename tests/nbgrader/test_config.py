"""Switching nbproctor on: never silently stock nbgrader, whatever is configured."""

from __future__ import annotations

import asyncio
import csv
import json
import re
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nbgrader.apps.api import NbGraderAPI
from traitlets.config import Config
from traitlets.config.loader import DeferredConfigString

from nbproctor import nbgrader as room
from nbproctor.cli.app import choose
from nbproctor.kit.starter import SWITCH
from nbproctor.nbgrader.course import Course
from nbproctor.nbgrader.export import Export
from nbproctor.nbgrader.feedback import report
from nbproctor.nbgrader.options import Nbproctor
from nbproctor.results import Limits, SubmissionResult
from tests.broken.cases import write
from tests.cli.term import read_table
from tests.copies import read_document
from tests.nbgrader.tiny import (
    HandIn,
    book,
    configure,
    graded,
    may_be_released,
    released,
    run_nbgrader,
    solved,
    source_of,
    totals,
)
from tests.notebooks import cell, notebook
from tests.pages.lab import read_words
from tests.programs import run_here, run_python, succeeded

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


def configure_first(course: Path, lines: str) -> None:
    """Write lines before nbproctor is switched on."""
    config = course / CONFIG
    config.write_text(config.read_text().replace("proctor(c)", f"{lines}\nproctor(c)"))


@pytest.mark.parametrize(
    ("write_lines", "lines", "passed"),
    [(configure_first, BOTH, 2), (configure, NAMED, 1)],
    ids=["before", "after"],
)
def test_the_pipelines_can_be_configured_in_every_way(
    course: Path,
    hand_in: HandIn,
    write_lines: Callable[[Path, str], None],
    lines: str,
    passed: int,
) -> None:
    write_lines(course, PASSING + lines)
    hand_in("ann", fizz="def fizz(n):\n    return str(n)")
    assert graded(course)["ann"].score == 7
    assert (course / "passed").read_text() == "x" * passed


# Configurations that are refused, and words of the refusal.
REFUSED = {
    "1 / 0": "ZeroDivisionError.*Nothing is graded",
    "c.Autograde.autograde_preprocessors = ['nbgrader.preprocessors.SaveAutoGrades']": (
        "does not contain nbgrader's Execute.*Nothing is graded"
    ),
    "c.Execute.enabled = False": "nbproctor always runs.*Nothing is graded",
    "c.CourseDirectory.course_id = 'other'": "'tiny', not to 'other'",
    "c.CourseDirectory.submitted_directory = 'none'": "none",
}


@pytest.mark.parametrize("line", REFUSED)
def test_without_the_sandbox_or_in_another_course_nothing_is_graded(
    course: Path,
    hand_in: HandIn,
    line: str,
) -> None:
    hand_in("ann")
    configure_first(course, line)
    message = run_nbgrader(course, "autograde", "tiny", status=1)
    assert re.search(REFUSED[line], message, re.DOTALL)
    assert not [*course.glob("autograded/*/tiny")]


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


def test_every_option_is_documented() -> None:
    documented = re.findall(r"^\| `.*", read_document("options"), re.M)
    options = Nbproctor()
    assert documented == [
        f"| `{name}` | `{getattr(options, name)!r}` | {trait.help} |"
        for name, trait in Nbproctor.class_own_traits(config=True).items()
        if name != "enabled"  # set by proctor(c) only
    ]


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


# Seconds for a call, a cell and a submission, and what is configured; a deferred string
# is an option of the command line.
LIMITS = """\
60 60 300 pass
7 7 300 c.ExecutePreprocessor.timeout = 7
2 100 500 c.Execute.timeout = 100; c.Nbproctor.call_seconds = 2
7 7 300 c.Execute.timeout = DeferredConfigString('7')
60 60 300 c.Execute.timeout = DeferredConfigString('None')
60 60 300 c.Execute.timeout = DeferredConfigString('-1')
"""


@pytest.mark.parametrize("row", LIMITS.splitlines())
def test_nbgrader_s_time_limit_is_the_default_of_ours(row: str) -> None:
    *seconds, line = row.split(maxsplit=3)
    config = Config()
    exec(line, {"c": config, "DeferredConfigString": DeferredConfigString})
    assert Nbproctor(config=config).limits() == Limits(*map(float, seconds))


# ---- nbgrader's own options ----------------------------------------------------------


def test_header_and_footer_belong_to_the_notebook(
    course: Path, hand_in: HandIn
) -> None:
    test = cell("foot", "assert zero == 0", grade=True, points=2)
    for name, added in {"header": cell("head", "zero = 0"), "footer": test}.items():
        write(course, notebook([added]), f"{name}.ipynb")
        configure(course, f"c.IncludeHeaderFooter.{name} = '{name}.ipynb'")
    assert room.lint(course, "tiny") == []
    room.generate(course, "tiny")
    release = released(course)
    assert [release["cells"][n]["id"] for n in (0, -1)] == ["head", "foot"]
    hand_in("ann")
    assert graded(course)["ann"].score == 12
    assert may_be_released(course)


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
    room.feedback(course, "tiny")
    pages = course / "feedback/ann/tiny"
    assert "10 / 10 points" in read_words(pages / "tiny.html")
    assert "7 / 10 points" in read_words(pages / "other.html")
    fizz = [name for name in room.scores(course, "tiny") if name.endswith(": fizz")]
    points = room.scores(course, "tiny").loc["ann", fizz].to_dict()
    assert points == {"other: fizz": 2, "tiny: fizz": 5}
    # And the one that is not chosen keeps what it has: nbgrader alone gives it zeros.
    chosen = "--student=ann", "--notebook=tiny", "--force"
    run_nbgrader(course, "autograde", "tiny", *chosen)
    assert totals(course)["ann"] == 17


def test_an_exercise_may_have_the_name_of_a_column(
    course: Path, hand_in: HandIn
) -> None:
    opened = Course(course, "tiny")
    columns = room.class_table(opened, room.participants(opened)).columns
    names = ["student", "late", "due", *columns.drop(["fizz", "mean_of"])]
    with source_of(course) as source:
        for name in names:
            source["cells"].insert(0, cell(name, "1", grade=True, points=1))
    hand_in("ann")
    points = 10 + len(names)
    table = succeeded(run_here("grade", cwd=course)).stdout
    assert f"{points} graded" in re.sub(" +", " ", table)
    row = room.scores(course, "tiny").loc["ann"]
    assert row["total"] == row.drop("total").sum() == points
    succeeded(run_here("export", "csv", cwd=course))
    (path,) = (course / "exported").glob("*.csv")
    header, _ = csv.reader(path.read_text("utf-8-sig").splitlines())
    assert len(header) == len({*header})
    succeeded(run_here("export", "term", cwd=course))


def test_an_assignment_may_have_the_name_of_a_column(
    course: Path, hand_in: HandIn
) -> None:
    hand_in("ann")
    names = ["email", "student", "tiny_of", "total"]
    for name in names:
        for kind in ("source", "submitted/ann"):
            shutil.copytree(course / kind / "tiny", course / kind / name)
        room.generate(course, name)
        room.grade(course, name)
    succeeded(run_here("export", "term", cwd=course))
    (row,) = read_table(course / "exported/term.csv")
    assert (row["email"], row["tiny"], row["tiny_of"]) == ("", "", "10.0")
    marks = [row[f"assignment: {name}"] for name in names]
    assert [*marks, row["total"]] == ["10.0"] * 4 + ["40.0"]
    page = read_words(course / "report/term/ann.html")
    assert all(f" {name} 10 of 10 " in page for name in names)


def test_folders_and_options_come_from_the_course_and_the_home_folder(
    course: Path,
    hand_in: HandIn,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """nbgrader makes its view of the folders before it reads the configuration."""
    hand_in(
        "ann", fizz=FIZZ.format("pass") + "def fizz(n):\n    raise NotImplementedError"
    )
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(home))
    (home / CONFIG).write_text(
        "c = get_config()\nc.CourseDirectory.submitted_directory = 'elsewhere'\n"
        "c.CourseDirectory.course_id = 'of the home folder'\n"
    )  # of two in one folder, JSON counts
    counts = {"CourseDirectory": {"submitted_directory": "in"}}
    (home / "nbgrader_config.json").write_text(json.dumps(counts))
    (course / "submitted").rename(course / "in")
    names = {
        "source": "src",
        "release": "out/students",
        "autograded": "graded",
        "feedback": "pages",
    }
    (course / "out").mkdir()
    for stock, name in names.items():
        configure(course, f"c.CourseDirectory.{stock}_directory = {name!r}")
        if (course / stock).exists():
            (course / stock).rename(course / name)
    assert may_be_released(course)
    assert graded(course)["ann"].score == 10
    configure(course, "c.Nbproctor.repair_answers = False")
    run_nbgrader(course, "autograde", "tiny")
    ann = SubmissionResult.read(course / "graded/ann/tiny")
    assert ann is not None and ann.score == 5
    assert choose(Course(course), "").assignment == "tiny"
    room.feedback(course, "tiny")
    assert (course / "pages/ann/tiny/tiny.html").is_file()


def test_formgrader_s_button_grades_and_files_get_the_rights_that_nbgrader_gives(
    course: Path,
    hand_in: HandIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    configure(
        course,
        "c.Autograde.permissions = 640",
        "c.CourseDirectory.groupshared = True",
    )
    hand_in("ann", "tiny-Copy1.ipynb")
    monkeypatch.chdir(course)
    formgrader = NbGraderAPI(config=Course(course).config)

    async def press_button() -> dict[str, Any]:  # in the event loop of Jupyter's server
        assert room.lint(course, "tiny") == []  # which runs a kernel
        return formgrader.autograde("tiny", "ann")

    result = asyncio.run(press_button())
    assert result["success"], result
    assert totals(course) == {"ann": 10}
    modes = {".": 0o42775, "tiny.ipynb": 0o100640}
    folder = course / "autograded/ann/tiny"
    assert {name: (folder / name).stat().st_mode for name in modes} == modes


def test_questions_and_tasks_wait_for_a_person_and_unmarked_cells_for_nobody(
    course: Path, hand_in: HandIn
) -> None:
    """Questions in text are in tests/nbgrader/test_pending.py."""
    by_hand = {"grade": True, "solution": True, "locked": False}
    with source_of(course) as notebook:
        notebook["cells"].insert(0, cell("off", "x = 1", locked=False))
        notebook["cells"] += [
            cell("by-hand", "## 3. By hand", "markdown"),
            cell("draw", "# Draw.", points=2, **by_hand),
            cell("task", "## 4. Do it (3 points)", "markdown", task=True, points=3),
        ]
    assert room.lint(course, "tiny") == []
    hand_in("ann", draw="print('drawn')")
    result = graded(course)["ann"]
    assert (result.score, result.max_score) == (None, 15)
    _, _, waiting = result.reason.partition("To be graded by hand: ")
    assert set(waiting.rstrip(".").split(", ")) == {"draw", "task"}
    with book(course) as gradebook:
        assert gradebook.find_submission("tiny", "ann").needs_manual_grade


def test_an_export_has_no_zero_for_what_cannot_be_graded_and_no_formula(
    course: Path, hand_in: HandIn
) -> None:
    hand_in("ann", "tiny (1).ipynb")
    (course / "submitted/bob/tiny").mkdir(parents=True)
    message = run_nbgrader(course, "autograde", "tiny", status=1)
    assert message.count("Could not be graded: bob.") == 1
    assert "bob: ungradable" in message
    (course / "mine.py").write_text(
        "from nbgrader.plugins import CsvExportPlugin\n"
        "class Mine(CsvExportPlugin):\n    pass\n"
    )
    message = run_nbgrader(course, "export", "--exporter=mine.Mine")
    assert "writes for these students is not a mark: bob (tiny)" in message
    with book(course) as gradebook:
        gradebook.find_student("ann").email = "=cmd()"
        Export(to=str(course / "grades.csv")).export(gradebook)
    rows = csv.DictReader((course / "grades.csv").open())
    assert [(row["student_id"], row["email"], row["score"]) for row in rows] == [
        ("ann", "'=cmd()", "10.0"),
        ("bob", "", ""),
    ]
