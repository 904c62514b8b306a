"""Release of an assignment: what is refused or found, and what students get."""

import json
import math
import re
import shutil
import sqlite3
from contextlib import closing
from copy import deepcopy
from pathlib import Path

import pytest

from nbproctor import nbgrader
from nbproctor.nbgrader import CourseError
from tests.broken.cases import ANSWERS, STUB, by_id, text, write
from tests.copies import read_document
from tests.nbgrader.rows import rows, url
from tests.nbgrader.tiny import (
    HandIn,
    configure,
    content,
    grade_by_hand,
    graded,
    released,
    source_of,
    statuses,
)
from tests.notebooks import cell, read_json
from tests.timing import patience

pytestmark = pytest.mark.slow


# A cell of the source, a field of it, another value of that as JSON, and what is said.
RULES = r"""
fizz-public | grade_id | "fizz" | 'fizz'
mean-values | points | 4 | (5 points)' says 5 points, but the test \
cells below it add up to 6
fizz-text | source | "# Fizz (5 points)\n\n- multiples of three (7)" | \
gives 7 points for 'multiples of three', but that test cell has 3
mean-values | points | null | mean-values
mean-values | points | -1 | mean-values
setup | grade_id | "" | cell 2
setup | schema_version | 1 | update
setup | solution | null | solution
setup | id | null | no id
setup | source | "import math\n### BEGIN HIDDEN TESTS\n### END HIDDEN TESTS" | \
'setup' contains hidden tests
mean-values | source | "### BEGIN HIDDEN TESTS\n" | \
'mean-values': a cell has 'BEGIN HIDDEN TESTS' without
setup | source | "### BEGIN SOLUTION\n### END SOLUTION" | \
cell 2 ('setup'): Solution region
fizz-text | source | "```\n### BEGIN MARK SCHEME\n### END MARK SCHEME\n```" | \
cell 3 ('no grade_id'): Mark scheme region
fizz | source | "### BEGIN SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION" | \
'fizz'): encountered nested
""".replace("\\\n", "")


@pytest.mark.parametrize("row", RULES.strip().splitlines())
def test_a_source_that_breaks_a_rule_changes_nothing(course: Path, row: str) -> None:
    name, key, value, message = row.split(" | ")
    with source_of(course, release=False) as notebook:
        block = by_id(notebook, name)
        part = block if key in block else block["metadata"]["nbgrader"]
        part[key] = json.loads(value)
        if part[key] is None:
            del part[key]
    before = content(course)
    for command in (nbgrader.generate, nbgrader.lint):
        with pytest.raises(CourseError) as refused:
            command(course, "tiny")
        assert message in str(refused.value)
        assert str(course / "source/tiny/tiny.ipynb") in str(refused.value)
        assert content(course) == before


def test_a_heading_over_two_exercises_says_the_points_of_both(course: Path) -> None:
    heading = "# All (10 points)\n```\n# none\n```\nPlot 3 points"
    with source_of(course, release=False) as notebook:
        by_id(notebook, "title")["source"] = heading
        by_id(notebook, "mean-text")["source"] = "## 2. Plot 7 points"
    nbgrader.check_sources(nbgrader.Course(course, "tiny"))


@pytest.mark.parametrize(
    "flags", [{}, {"locked": False, "grade": True, "solution": True, "points": 1}]
)
def test_a_question_or_an_answer_in_words_that_is_a_fence_stays_one(
    course: Path, hand_in: HandIn, flags: dict[str, bool]
) -> None:
    """It is no code that a chatbot has put into a fence."""
    fence = "```python\n# All (3 points)\nmean_of([1, 3])\n```"
    with source_of(course, release=False) as notebook:
        notebook["cells"].insert(1, cell("words", fence, "markdown", **flags))
    nbgrader.generate(course, "tiny")
    hand_in("ann", words=fence)
    assert graded(course)["ann"].status != "repaired"
    marked = read_json(course / "autograded/ann/tiny/tiny.ipynb")
    assert text(by_id(marked, "words")) == fence


def test_hints_are_kept_or_left_out_as_documented_and_nothing_else(
    course: Path,
) -> None:
    without_hints = released(course)
    hint = cell("hint", "Count.", "markdown")
    hint["metadata"] = {"tags": ["hint"]}
    with source_of(course) as notebook:
        notebook["cells"].insert(3, hint)
    with_hints = released(course)
    page = read_document("new-assignment")
    lines = re.findall(r"```python\n(from nbconvert.*?)```", page, re.S)
    configure(course, *lines)
    nbgrader.generate(course, "tiny")
    assert released(course) == without_hints
    assert with_hints["cells"].pop(3)["id"] == "hint"
    assert with_hints == without_hints


# --- cells that change after somebody was graded ---


def test_a_release_with_other_cells_keeps_all_marks_that_still_have_one(
    course: Path, hand_in: HandIn
) -> None:
    """Renamed, removed, added: then it is as if it had been released so at first."""
    hand_in("ann", fizz="def fizz(n):\n    return str(n)")
    hand_in("bob")
    graded(course)
    for name in ("fizz-multiples", "mean-input"):
        grade_by_hand(course, name, "bob", manual_score=0.5)
    with source_of(course, release=False) as source:
        test = "# Checked here: nothing else.\n" + text(by_id(source, "mean-input"))
        source["cells"].append(cell("mean-more", test, grade=True, points=2))
    is_new = r"'mean-more' \(2 points\) is new"
    with pytest.raises(CourseError, match=is_new):
        nbgrader.check_cells(nbgrader.Course(course, "tiny"))
    with source_of(course, release=False) as source:
        renamed = by_id(source, "fizz-multiples")["metadata"]["nbgrader"]
        renamed["grade_id"] = "fizz-others"
        source["cells"].remove(by_id(source, "mean-input"))

    before = rows(url(course))
    with pytest.raises(CourseError, match="Make the release again"):
        graded(course)
    with pytest.raises(CourseError, match="release --change-cells") as refused:
        nbgrader.generate(course, "tiny")
    message = str(refused.value)
    assert "'fizz-multiples' is now called 'fizz-others' and keeps its marks" in message
    assert re.search(is_new, message)
    assert (
        "'mean-input' is removed with its marks, including those given by hand to bob"
        in message
    )
    assert rows(url(course)) == before

    copy, _ = nbgrader.generate(course, "tiny", change_cells=True)
    assert rows(f"sqlite:///{copy}") == before
    with closing(sqlite3.connect(course / "gradebook.db")) as file:
        assert file.execute("PRAGMA foreign_key_check").fetchall() == []
    graded(course)
    fresh = course.with_name("fresh")
    shutil.copytree(course, fresh, ignore=shutil.ignore_patterns("*.db*", "autograded"))
    nbgrader.generate(fresh, "tiny")
    graded(fresh)
    # The answer is the same: the mark by hand asks for no other look.
    by_hand = {("grade", "bob", "tiny", "fizz-others"): (3.0, 0.5, None, False, 3.0)}
    assert rows(url(course)) == rows(url(fresh)) | by_hand


# --- notebook formats before 4.5, whose cells have no id ---

FREE = {
    "cell_type": "code",
    "source": "",
    "outputs": [],
    "execution_count": None,
}
NOTHING = {
    "grade": False,
    "locked": False,
    "schema_version": 3,
    "solution": False,
}


def test_a_course_without_cell_ids_is_released_and_graded(course: Path) -> None:
    """Cells that nbgrader has marked as nothing are the student's."""
    with source_of(course) as source:
        source["nbformat_minor"] = 0
        source["cells"].insert(0, FREE | {"metadata": {}})
        for block in source["cells"]:
            block.pop("id", None)
            # nbgrader keeps the points of a cell that is not graded any more.
            block["metadata"].get("nbgrader", {}).setdefault("points", 5)
            block["metadata"].setdefault("nbgrader", NOTHING)
    release = released(course)
    assert not any("id" in block for block in release["cells"])
    solved = deepcopy(release)
    for block in solved["cells"]:
        name = block["metadata"].get("nbgrader", {}).get("grade_id")
        block["source"] = text(block).replace(STUB, ANSWERS.get(name, ""))
    newer = deepcopy(solved) | {"nbformat_minor": 5}
    for number, block in enumerate(newer["cells"]):
        block["id"] = f"new-{number}"
    submissions = {
        "blank": release,
        "newer client": newer,
        "solved": solved,
        "without": solved | {"cells": solved["cells"][1:]},
    }
    for student, notebook in submissions.items():
        write(course / "submitted" / student / "tiny", notebook)
    right = dict.fromkeys(submissions, ("graded", 10.0))
    assert statuses(graded(course)) == right | {"blank": ("graded", 0.0)}


# --- lint ---

CELLS = {
    "setup": "from fractions import Fraction\nimport sys, threading\n"
    "print('bar', file=sys.stderr); threading.Timer(3, print).start()",
    "fizz-show": "shown = 3",  # a demo, which is not run
    "fizz-numbers": "assert fizz(shown) == 'fizz'",
    "fizz-multiples": "import sys\nprint('hm\\n' * 9999, file=sys.stderr)",
    "mean-values": "made = mean_of([1, 3])\nassert made == 2",
    "mean-input": "assert made == 2",
}


def test_a_test_that_needs_a_demo_writes_to_stderr_or_never_ends_is_found(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another test's names, a thread and a warning are no fault: a kernel has them.

    Assertions run, however Python is started.
    """
    monkeypatch.setenv("PYTHONOPTIMIZE", "1")
    configure(course, f"c.ExecutePreprocessor.timeout = {math.ceil(patience())}")
    with source_of(course) as notebook:
        for name, source in CELLS.items():
            by_id(notebook, name)["source"] = source
        never = cell("never", "import time\ntime.sleep(99)", grade=True, points=1)
        notebook["cells"].insert(2, never)
    faults = nbgrader.lint(course, "tiny")
    findings = {
        (grader, message.partition(" in ")[2].split()[0].strip(":,."))
        for grader, _, message in (fault.partition(": ") for fault in faults)
    }
    assert findings == {
        ("nbproctor", "fizz-numbers"),
        ("nbproctor", "never"),
        ("stock nbgrader", "fizz-numbers"),
        ("stock nbgrader", "never"),
        ("stock nbgrader", "fizz-multiples"),
    }
    assert len(faults) == 5 and max(map(len, faults)) < 500
    assert any("the reference earns 0 of 3.0" in fault for fault in faults)
    assert all(" of tiny (" in fault for fault in faults)
