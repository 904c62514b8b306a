"""What nbgrader does by itself is kept: credit, penalties, manual grades, feedback."""

import html
import os
import re
import shutil
from pathlib import Path

import nbformat
import pytest

from nbproctor import nbgrader
from nbproctor.platforms import Person
from tests.broken.cases import by_id, text
from tests.nbgrader.tiny import (
    HandIn,
    configure,
    graded,
    may_be_released,
    run_nbgrader,
    source_of,
    statuses,
)
from tests.notebooks import find_cell, read_notebook
from tests.programs import run_python

pytestmark = pytest.mark.slow


def test_a_narrow_table_wraps_names_and_cuts_nothing(
    course: Path, hand_in: HandIn
) -> None:
    person = Person("ann", "von und zu Musterfrau-Beispiel", "Anna Maria")
    nbgrader.enrol(nbgrader.Course(course), [person])
    hand_in("ann").write_text("{")
    env = os.environ | {"COLUMNS": "48"}
    printed = run_python("nbproctor", "grade", cwd=course, env=env).stdout
    table = printed.removeprefix("Grading tiny …")
    assert "ungradable" in table and "…" not in table
    assert all(word in table for word in person.name.split())


# What stands in the source → nbgrader's option for it.
MARKERS = {
    "BEGIN SOLUTION": "ClearSolutions.begin_solution_delimeter",
    "END SOLUTION": "ClearSolutions.end_solution_delimeter",
    "BEGIN HIDDEN TESTS": "ClearHiddenTests.begin_test_delimeter",
    "END HIDDEN TESTS": "ClearHiddenTests.end_test_delimeter",
}


def test_markers_of_the_course_s_own_are_asked_of_nbgrader(
    course: Path, hand_in: HandIn
) -> None:
    """A solution region needs no metadata either, where the course says so."""
    path = course / "source/tiny/tiny.ipynb"
    with source_of(course, release=False) as notebook:
        del by_id(notebook, "mean_of")["metadata"]["nbgrader"]
    source = path.read_text("utf-8")
    for number, (default, marker) in enumerate(MARKERS.items()):
        configure(course, f"c.{marker} = '<{number}>'")
        source = source.replace(default, f"<{number}>")
    path.write_text(source, "utf-8")
    configure(
        course,
        "c.ClearSolutions.code_stub = {'python': 'raise ValueError'}",
        "c.ClearSolutions.enforce_metadata = False",
    )
    shutil.rmtree(course / "release")
    (master,) = nbgrader.Course(course, "tiny").masters
    fizz = find_cell(master, "fizz")
    stub = fizz.stub  # before there is a release, too
    assert stub.endswith("\n    raise ValueError") and "return" not in stub
    nbgrader.generate(course, "tiny")
    assert may_be_released(course)
    answer = "def mean_of(numbers):\n    return sum(numbers) / len(numbers)"
    hand_in("right", fizz=fizz.source, mean_of=answer)
    hand_in("blank", fizz=stub, mean_of=answer)
    assert statuses(graded(course)) == {"right": ("graded", 10), "blank": ("graded", 5)}


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
    scores = {name: result.score for name, result in results.items()}
    assert scores == {"told": 10, "named": 10, "warns": 5}
    assert "stderr" in str(results["warns"].verdicts)


def test_feedback_shows_no_hidden_test(course: Path, hand_in: HandIn) -> None:
    own_answer = "def fizz(n):\n    ### BEGIN HIDDEN TESTS\n    return 'my own line'"
    hand_in("ann", fizz=own_answer)
    results = graded(course)
    run_nbgrader(course, "generate_feedback", "tiny")
    folder = course / "feedback/ann/tiny"
    page = (folder / "tiny.html").read_text("utf-8")
    shown = html.unescape(re.sub("<[^>]+>", "", page))
    annotated = read_notebook(folder / "tiny.feedback.ipynb")
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
    for verdict in results["ann"].verdicts["tiny"]:
        assert verdict.message in shown  # no more is said there than here
        assert not (verdict.printed and verdict.max_points)
