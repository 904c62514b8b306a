"""What nbgrader does by itself is kept: credit, penalties, manual grades, feedback."""

import html
import io
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from nbproctor import nbgrader
from nbproctor.cli.class_run import score_table
from nbproctor.nbgrader import CourseError
from nbproctor.notebook import MasterNotebook
from nbproctor.results import SubmissionResult
from tests.broken.cases import text
from tests.nbgrader.tiny import HandIn, book, configure, graded, run_nbgrader, source_of

pytestmark = pytest.mark.slow


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
    console.print(score_table(scores, outcomes, [master], {}, {}))
    assert re.search(r"ann +5 +5 +10 +graded", console.file.getvalue())


def test_a_narrow_table_wraps_names_and_cuts_nothing(project: Path) -> None:
    names = {"ann": "von und zu Musterfrau-Beispiel, Anna Maria"}
    console = Console(file=io.StringIO(), width=48)
    scores = pd.DataFrame({"fizz": 0.0, "total": 5.0}, ["ann"])
    result = SubmissionResult("ann", "ungradable", "", None, 10)
    master = MasterNotebook.read(project / "examples/tiny/source/tiny/tiny.ipynb")
    # The other exercise has no points, and so no column.
    cells = (replace(c, points=c.points * (c.exercise == "fizz")) for c in master.cells)
    console.print(score_table(scores, [result], [master.with_cells(cells)], names, {}))
    said = console.file.getvalue()
    assert "ungradable" in said and "…" not in said
    assert all(word in said for word in names["ann"].split())


def test_markers_of_the_course_s_own_are_asked_of_nbgrader(
    course: Path, hand_in: HandIn
) -> None:
    """A solution region needs no metadata either, where the course says so."""
    path = course / "source/tiny/tiny.ipynb"
    source = path.read_text("utf-8")
    marked = '"nbgrader": {\n     "grade": false,\n     "grade_id": "mean_of"'
    assert marked in source
    source = source.replace(marked, marked.replace("nbgrader", "nobody's"))
    for ours, theirs in {
        "BEGIN SOLUTION": "ANSWER {",
        "END SOLUTION": "} ANSWER",
        "BEGIN HIDDEN TESTS": "<secret>",
        "END HIDDEN TESTS": "</secret>",
    }.items():
        source = source.replace(ours, theirs)
    path.write_text(source, "utf-8")
    configure(
        course,
        "c.ClearSolutions.begin_solution_delimeter = 'ANSWER {'",
        "c.ClearSolutions.end_solution_delimeter = '} ANSWER'",
        "c.ClearHiddenTests.begin_test_delimeter = '<secret>'",
        "c.ClearHiddenTests.end_test_delimeter = '</secret>'",
        "c.ClearSolutions.code_stub = {'python': 'raise ValueError'}",
        "c.ClearSolutions.enforce_metadata = False",
    )
    kinds = {cell.id: cell.kind for cell in MasterNotebook.read(path).cells}
    shutil.rmtree(course / "release", ignore_errors=True)
    (master,) = nbgrader.Course(course).masters("tiny")
    cells = {cell.id: cell for cell in master.cells}
    assert cells["mean-oracle"].kind == "helper" != kinds["mean-oracle"]
    stub = cells["fizz"].stub  # before there is a release, too
    assert stub.endswith("\n    raise ValueError") and "return" not in stub
    nbgrader.generate(course, "tiny")
    assert nbgrader.lint(course, "tiny") == []
    for check in nbgrader.check_release(course, "tiny"):
        assert check.passed, check
    hand_in("right")
    hand_in("blank", fizz=stub)
    assert {n: r.score for n, r in graded(course).items()} == {"right": 10, "blank": 5}


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
    with source_of(course, release=False) as source:
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


WARNS = (
    "import sys\n"
    "def fizz(n):\n"
    "    print('old', file=sys.stderr)\n"
    "    return 'fizz' if n % 3 == 0 else str(n)"
)


@pytest.mark.parametrize("line", ["", "c.Nbproctor.stderr_fails_tests = True"])
def test_text_on_stderr_costs_points_where_the_course_says_so(
    course: Path, hand_in: HandIn, line: str
) -> None:
    configure(course, line)
    hand_in("warns", fizz=WARNS)
    verdicts = graded(course)["warns"].verdicts["tiny"]
    fizz = [v for v in verdicts if v.cell_id.startswith("fizz-") and v.max_points]
    assert fizz
    if line:
        assert all(v.points == 0 and "stderr" in v.message for v in fizz)
    else:
        assert all(v.points == v.max_points for v in fizz)
