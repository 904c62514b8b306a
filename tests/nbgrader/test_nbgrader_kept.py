"""What nbgrader does by itself is kept: credit, penalties, manual grades, feedback."""

import html
import json
import os
import re
import shutil
from pathlib import Path

import nbformat
import pytest

from nbproctor import nbgrader
from nbproctor.nbgrader import CourseError
from nbproctor.notebook import MasterNotebook
from nbproctor.platforms import Person
from tests.broken.cases import by_id, text
from tests.nbgrader.tiny import HandIn, configure, graded, run_nbgrader, source_of
from tests.programs import run_python

pytestmark = pytest.mark.slow


def test_a_narrow_table_wraps_names_and_cuts_nothing(
    course: Path, hand_in: HandIn
) -> None:
    name = "von und zu Musterfrau-Beispiel, Anna Maria"
    last, _, first = name.partition(", ")
    nbgrader.enrol(nbgrader.Course(course), [Person("ann", last, first)])
    hand_in("ann").write_text("{")
    env = os.environ | {"COLUMNS": "48"}
    printed = run_python("nbproctor", "grade", cwd=course, env=env).stdout
    table = printed.removeprefix("Grading tiny …")
    assert "ungradable" in table and "…" not in table
    assert all(word in table for word in name.split())


def test_markers_of_the_course_s_own_are_asked_of_nbgrader(
    course: Path, hand_in: HandIn
) -> None:
    """A solution region needs no metadata either, where the course says so."""
    hand_in("right")
    blank = hand_in("blank")
    path = course / "source/tiny/tiny.ipynb"
    source = path.read_text("utf-8")
    marked = '"nbgrader": {\n     "grade": false,\n     "grade_id": "mean_of"'
    assert marked in source
    source = source.replace(marked, marked.replace("nbgrader", "nobody's"))
    for default, configured in {
        "BEGIN SOLUTION": "ANSWER {",
        "END SOLUTION": "} ANSWER",
        "BEGIN HIDDEN TESTS": "<secret>",
        "END HIDDEN TESTS": "</secret>",
    }.items():
        source = source.replace(default, configured)
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
    (master,) = nbgrader.Course(course, "tiny").masters
    cells = {cell.id: cell for cell in master.cells}
    assert cells["mean-oracle"].kind == "helper" != kinds["mean-oracle"]
    stub = cells["fizz"].stub  # before there is a release, too
    assert stub.endswith("\n    raise ValueError") and "return" not in stub
    nbgrader.generate(course, "tiny")
    for check in nbgrader.check_release(nbgrader.Course(course, "tiny")):
        assert check.passed, check
    notebook = json.loads(blank.read_text("utf-8"))
    by_id(notebook, "fizz")["source"] = stub
    blank.write_text(json.dumps(notebook), "utf-8")
    assert {n: r.score for n, r in graded(course).items()} == {"right": 10, "blank": 5}


HELPED = "import helper\n\ndef fizz(n):\n    return helper.rule(n)"
RIGHT = "def rule(n):\n    return str(n) if n % 3 else 'fizz'\n"
WRONG = "def rule(n):\n    return 'wrong'\n"


def test_exclude_overwriting_is_kept(course: Path, hand_in: HandIn) -> None:
    (course / "source/tiny/helper.py").write_text(RIGHT)
    (hand_in("ann", fizz=HELPED).parent / "helper.py").write_text(WRONG)
    helper = course / "autograded/ann/tiny/helper.py"
    assert (graded(course)["ann"].score, helper.read_text()) == (10, RIGHT)
    configure(course, "c.Autograde.exclude_overwriting = {'tiny': ['helper.py']}")
    again = graded(course, force=True)
    assert (again["ann"].score, helper.read_text()) == (5, WRONG)


WARNS = (
    "import sys\n"
    "def fizz(n):\n"
    "    print('old', file=sys.stderr)\n"
    "    return 'fizz' if n % 3 == 0 else str(n)"
)


def test_what_an_answer_meets_in_a_kernel_it_meets_here(
    course: Path, hand_in: HandIn
) -> None:
    """And a module of hers named like a library harms nobody."""
    answer = (
        "    import os\n    assert os.environ['NBGRADER_EXECUTION'] == 'autograde'\n"
    )
    hand_in(
        "told", fizz=f"def fizz(n):\n{answer}    return str(n) if n % 3 else 'fizz'"
    )
    hand_in("warns", fizz=WARNS)
    for name in ("numpy", "json", "fractions", "nbproctor"):
        (hand_in("named").parent / f"{name}.py").write_text("raise SystemExit")
    assert {result.score for result in graded(course).values()} == {10}
    configure(course, "c.Nbproctor.stderr_fails_tests = True")
    results = graded(course)
    assert [results[name].score for name in ("told", "named")] == [10, 10]
    verdicts = results["warns"].verdicts["tiny"]
    fizz = [v for v in verdicts if v.cell_id.startswith("fizz-") and v.max_points]
    assert fizz and all(v.points == 0 and "stderr" in v.message for v in fizz)


def test_an_old_page_does_not_stand_for_a_new_submission(
    course: Path, hand_in: HandIn
) -> None:
    page = course / "feedback/ann/tiny/tiny.html"
    handed_in = hand_in("ann")
    for content in (handed_in.read_text(), "{"):
        handed_in.write_text(content)
        graded(course)
        assert not page.exists()
        nbgrader.feedback(course, "tiny")
        broken = content == "{"
        assert ("Could not be graded" in page.read_text()) == broken


def test_feedback_shows_no_hidden_test(course: Path, hand_in: HandIn) -> None:
    own_answer = "def fizz(n):\n    ### BEGIN HIDDEN TESTS\n    return 'my own line'"
    hand_in("ann", fizz=own_answer)
    graded(course)
    run_nbgrader(course, "generate_feedback", "tiny")
    folder = course / "feedback/ann/tiny"
    page = (folder / "tiny.html").read_text("utf-8")
    shown = html.unescape(re.sub("<[^>]+>", "", page))
    annotated = nbformat.read(folder / "tiny.feedback.ipynb", as_version=4)
    nbformat.validate(annotated)
    assert not any("nbgrader" in cell.metadata for cell in annotated.cells)
    notebook = "\n".join(cell.source for cell in annotated.cells)
    with source_of(course, release=False) as source:
        hidden = [
            text(cell).partition("### BEGIN HIDDEN TESTS\n")[2].splitlines()[0]
            for cell in source["cells"]
            if "BEGIN HIDDEN" in text(cell)
        ]
    assert len(hidden) == 5  # one of them the tools, in a cell without points
    for line in hidden:
        assert line not in shown and line not in notebook
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
