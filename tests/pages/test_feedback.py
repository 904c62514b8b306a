"""The feedback page, from plain data: what it says, and what it never shows."""

from __future__ import annotations

import base64
import json
import os
import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, get_args

import pytest

from nbproctor import sanitize
from nbproctor.pages import making
from nbproctor.pages.feedback_page import Feedback
from nbproctor.pages.making import PageJob, make, notebook_of
from nbproctor.pages.summary import GradedNotebook
from nbproctor.results import Mark, Measure, Verdict
from nbproctor.sandbox import workers
from nbproctor.statuses import STATUSES, Status
from tests.copies import read_document
from tests.notebooks import read_json, read_notebook
from tests.pages.lab import SECRET, Lab, Requests, shown, verdicts, words
from tests.timing import patience

PNG = "iVBORw0KGgo="  # how a PNG begins, in base64


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def but(results: list[Verdict], *names: str, **fields: Any) -> list[Verdict]:
    """Return verdicts with other fields in some: of a test, or an exercise."""
    return [
        replace(v, **fields) if {v.cell_id, v.exercise} & {*names} else v
        for v in results
    ]


# --- the page of a student ------------------------------------------------------------


# A heading of an exercise, and what it is called.
HEADINGS = """\
### 3.1 Sums | 3.1 Sums
## 3.1 Sums (exercise 2, 6 points) | 3.1 Sums
## Sums · 6 points | Sums
## Exercise 4: sums (1.5 pts) | Exercise 4: sums
## Sums (6 Marks) | Sums
## 2 · Sums of 6 points of view | 2 Sums of 6 points of view
"""


@pytest.mark.parametrize("row", HEADINGS.splitlines())
def test_headings_are_read_as_people_write_them(tmp_path: Path, row: str) -> None:
    heading, name = row.split(" | ")
    first = Lab(tmp_path, heading).outline.exercises[0]
    assert first.name == name


BY_HAND = Mark(3.0, by_hand=True)
BLANK = "def first(x):\n    # YOUR CODE HERE\n    raise NotImplementedError()"


@dataclass(frozen=True)
class Page:
    """What a page says of some results, and what it does not: a phrase a line.

    `lost` are tests that earn nothing, `changes` are of tests; `graded` are other
    arguments of `Lab.graded`.
    """

    says: str
    omits: str = ""
    lost: str = ""
    changes: dict[str, dict[str, Any]] = field(default_factory=dict)
    graded: dict[str, Any] = field(default_factory=dict)


PAGES = {
    "a mistake": Page(
        lost="first_values first_public",
        says="""
            Ann Ode 5 / 10 points Graded. 3 points are not given yet
            Fix next (+2 points) : 1.1 First function . first-values is wrong.
            1.1 First function partly right 1 / 3 first-values is wrong. The public test
            1.2 Second function passed 4 / 4
            1.3 An essay to be graded by hand – / 3
        """,
        omits="How to get lab.ipynb",
    ),
    "no notebook": Page(
        lost="first_values",
        changes={"first-values": {"message": "It ends in cell `first`, line 2."}},
        graded={"path": None},
        says="""
            1.1 First function partly right 1 / 3 It ends in cell first , line 2. Line
            2 of your cell.
        """,
    ),
    "no answer": Page(
        lost="first_values first_types",
        graded={"answers": {"first": BLANK}},
        says="""
            Do next (+3 points) : 1.1 First function . You have not started it.
            1.1 First function not started 0 / 3 Text from the assignment
        """,
    ),
    "an answer that says so": Page(
        lost="first_values first_types first_public",
        changes={"first": {"outcome": "error", "is_unsolved": True}},
        says="""
            1.1 First function not started 0 / 3 Text from the assignment
            Public. not started public test
            Types. not started 0 / 1
        """,
        omits="not right yet",
    ),
    "two mistakes, and one in another exercise": Page(
        lost="first_values first_types second_values",
        says="Fix next (+4 points) : 1.2 Second function . second-values is wrong.",
    ),
    "a test that was not run": Page(
        changes={
            "first-values": {
                "outcome": "died",
                "message": "Not run: `first`.",
                "is_skipped": True,
            },
            "first-types": {"outcome": "not run", "message": "This test is broken."},
        },
        says="""
            Values. not run 2 / 2 Not run: first .
            Types. not run 1 / 1 This test is broken.
        """,
    ),
    "all points by follow-through": Page(
        lost="first_values second_public second_values",
        changes={"second-values": {"points": 4.0, "source": "follow-through"}},
        says="""
            1.2 Second function counted as passed 4 / 4 You have all points of this exe
            Public. counted as passed public test You have all points of this exercise.
            Values. counted as passed 4 / 4 You have all points of this exercise. The m
        """,
        omits="second-public is wrong",
    ),
    "a public test that fails alone": Page(
        lost="first_public",
        graded={"marks": {"essay": BY_HAND}},
        says="""
            1.1 First function passed 3 / 3
            Public. counted as passed public test You have all points of this exercise.
            “counted as passed” means:
        """,
        omits="not right yet",
    ),
    "marks and comments by hand": Page(
        lost="first_types second_values",
        graded={
            "marks": {
                "first-types": Mark(1.0, by_hand=True),
                "second-values": Mark(3.5, by_hand=True),
                "essay": BY_HAND,
            },
            "comments": {"second": "**Nearly**: <script>alert(1)</script> $x<y$"},
        },
        says="""
            9.5 / 10 points
            Types. passed by hand 1 / 1
            1.2 Second function partly right by hand comment 3.5 / 4
            From your teacher Nearly :
        """,
    ),
    "what could not be graded": Page(
        graded={
            "results": [],
            "path": None,
            "status": "ungradable",
            "notes": ["It is <b>no</b> notebook."],
        },
        says="""
            – / 10 points Could not be graded.
            It is <b>no</b> notebook. This is not a zero
            How to get lab.ipynb
            Download .ipynb
        """,
    ),
    "a repair and a penalty": Page(
        graded={
            "status": "repaired",
            "notes": ["It was renamed."],
            "late": 7200.0,
            "penalty": 2.0,
            "untried": ["`f`, line 3: `return 0`"],
        },
        says="""
            5 / 10
            It was renamed. These repairs cost you no points.
            Submitted 2 hours late. 2 points are taken off
        """,
        omits="return 0",
    ),
}


@pytest.mark.parametrize("case", PAGES)
def test_a_page_says(lab: Lab, case: str) -> None:
    expected = PAGES[case]
    results = verdicts(**dict.fromkeys(expected.lost.split(), 0.0))
    for test, fields in expected.changes.items():
        results = but(results, test, **fields)
    page = lab.page(**{"results": results} | expected.graded)
    text = words(page)
    absent = [p for p in map(str.strip, expected.says.splitlines()) if p not in text]
    assert absent == []
    assert not expected.omits or expected.omits not in text
    assert SECRET not in page and Requests(page).requests == []


@pytest.mark.parametrize("status", get_args(Status))
def test_every_status_has_words_of_its_own(lab: Lab, status: Status) -> None:
    headline = STATUSES[status].headline
    graded = lab.graded(status=status)
    assert f"{headline}. " in words(Feedback(graded, lab.outline).page())
    assert [row.headline for row in STATUSES.values()].count(headline) == 1
    section = STATUSES[status].section
    documented = f" | {section.title if section else ''} | {headline} |\n"
    assert documented.replace("  ", " ") in read_document("instructors")
    lab.report([graded])


def test_a_test_judged_in_the_student_s_process_is_marked_so(lab: Lab) -> None:
    results = but(
        verdicts(first_values=0), "first-values", "second-public", where="beside"
    )
    feedback = lab.feedback(results)
    label = "run in the student’s process"
    text = words(feedback.page())
    assert text.count(label) == 2
    assert "ran in the same process as your code" in text
    cells = json.dumps(feedback.notebook(), ensure_ascii=False)
    assert cells.count(label) == 2 and SECRET not in cells
    bob = lab.graded(but(verdicts(), "first", "second", where="beside"), student="bob")
    report = words(lab.report([lab.graded(results), bob])[0])
    assert "1.1 First function first-values 1 of 2" in report
    assert "second-public" not in report  # it has no points


# --- the class ------------------------------------------------------------------------


def test_the_report_says_a_note_once_the_gravest_first(lab: Lab) -> None:
    renamed: dict[str, Any] = {"status": "repaired", "notes": ["It was renamed."]}
    class_ = [lab.graded(student=name, **renamed) for name in ("ann", "bob", "cem")]
    dan = lab.graded(student="dan", untried=["`f`, line 3: `return 0`"], late=7200.0)
    cut = GradedNotebook("eve", "", "lab", "lab", "ungradable", ["It is cut short."])
    page, lines = lab.report([*class_, dan, dan, cut], late_without_time={"ann", "zoe"})
    assert lines[0].endswith("1 not graded, 2 late.")
    text = words(page)
    phrases = (
        "late 2 Could not be graded: please check eve : It is cut short.",
        "To be graded by hand 4 students : essay",
        "Repaired",
        "Ann Ode ann , Ann Ode bob , Ann Ode cem : It was renamed.",
        "Code that no test has run",
        "The lines Ann Ode dan : f , line 3: return 0 Late",
        "Ann Ode ann : the platform does not say how late Ann Ode dan : 2 hours",
    )
    positions = [text.index(phrase) for phrase in phrases]
    assert positions == sorted(positions)


def test_the_report_counts_points_mistakes_and_outcomes(lab: Lab) -> None:
    """Number n of 36 students loses n % 5 points, number 1 another, number 35 all."""
    class_ = []
    for n in range(36):
        wrong = {"first_values": 1} if n == 1 else {}
        wrong |= {"second_values": 4 - n % 5} if n % 5 else {}
        class_.append(
            lab.graded(
                verdicts(**wrong),
                student=f"s{n:02}",
                penalty=100.0 if n == 35 else 0.0,  # no total falls below 0
                waiting=[],
                marks={"essay": BY_HAND},
            )
        )
    page, lines = lab.report(class_)
    assert lines[0] == "36 submitted, 36 graded."
    assert lines[1].startswith("Median 8 of 10 points")
    assert lines[2].startswith("Hardest exercise: 1.2 Second function, 51%")
    assert "(28 students): 1.2 Second function: second-values is" in lines[2]
    text = words(page)
    numbers = text.partition("The numbers points students")[2]
    counts = re.findall(r"to (?:under )?\d+ (\d+)", numbers)[:10]
    assert counts == ["1", "0", "0", "0", "0", "0", "7", "7", "8", "13"]
    # The last number is what it says of the points in all others.
    assert "1.2 Second function 51 % -0.11" in text
    assert 'aria-label="8 passed, 21 partly right, 7 not right yet"' in page
    few = words(lab.report(class_[:29])[0])
    assert "item-rest" not in few and "With 30 students or more" in few


def test_statistics_of_a_class_are_over_complete_totals_and_marked_essays(
    lab: Lab,
) -> None:
    """Ann's essay has 1 point, Bob's waits, Cem began none, Eve has no mark at all."""

    def with_essay(student: str, essay: Mark) -> GradedNotebook:
        return lab.graded(student=student, waiting=[], marks={"essay": essay})

    class_ = [
        lab.graded(verdicts(first_values=0), student="bob"),
        with_essay("ann", Mark(1.0, by_hand=True)),
        with_essay("cem", Mark(0.0)),
        lab.graded([], student="eve", status="ungradable", waiting=[]),
    ]
    page, lines = lab.report(class_)
    assert lines == [
        "4 submitted, 2 graded, 1 to be graded by hand, 1 not graded.",
        "Median 7.5 of 10 points. The middle 50% of students have 7.25 to 7.75. "
        "Complete totals: 2 of 3.",
        "Hardest exercise: 1.3 An essay, 33% of its points earned.",
    ]
    text = words(page)
    assert (
        " To be graded by hand Ann Ode bob : essay Totals Complete totals: 2 of 3"
    ) in text
    assert "1.3 An essay :" not in text  # among the mistakes
    lines = lab.report(class_[:1])[1]
    assert lines[1] == "No total is complete yet."
    assert lines[2].startswith("Hardest exercise: 1.1 First function, 33%")


def test_what_was_measured_is_on_page_notebook_and_report(lab: Lab) -> None:
    def measured(n: int) -> GradedNotebook:
        drawn = (("a <4>, read as 9", PNG),) * (n == 2)
        note = "with one rest" if n > 3 else ""
        loops = Measure("loops a second", 10.0 * n, note, drawn)
        speed = Verdict("speed", None, 0, 0, "passed", measures=(loops,) * (n > 0))
        return lab.graded([*verdicts()[:-1], speed], student=f"s{n}", name="")

    feedback = Feedback(measured(2), lab.outline)
    page = feedback.page()
    assert "7 / 10 points" in words(page)
    others = words(page).partition("An essay")[2]
    assert "measured, not graded Loops a second: 20" in others
    assert '<img alt="a &lt;4&gt;, read as 9" src="data:image/png;base64,iVBOR' in page
    assert "oops a second: 20" in json.dumps(feedback.notebook())
    assert "not graded Loops" not in words(Feedback(measured(0), lab.outline).page())
    page = words(lab.report([measured(n) for n in range(6)])[0])
    values = page.partition("Not part of the mark. 5 students")[2]
    assert values.startswith(". The median is 30.")
    assert "s5 50 with one rest s4 40 with one rest s3 30 s2 20 s1 10" in values
    assert "0 s0" not in values


# --- what is never shown --------------------------------------------------------------


HOSTILE = """\
<script>alert(1)</script> <img src=x onerror=alert(1)> ![p](http://127.0.0.1/p.png)
![q](javascript:alert(1)) [l](javascript:alert(1)) [m](data:text/html,x) ![s](../s.png)
[n](../grading.json)
$\\text{<script>alert(1)</script>}$ $\\href{javascript:alert(1)}{x}$ $\\text{<b>}$
$\\style{background:url(http://127.0.0.1)}{x}$ <https://example.org/"onclick="alert(1)>

$$\\class{x" onclick="alert(1)}{y}$$

| `<b>` | <svg onload=alert(1)> |
|---|---|
"""


def test_what_a_student_wrote_runs_nothing_and_asks_for_nothing(lab: Lab) -> None:
    outputs = [
        shown({"text/html": HOSTILE, "image/svg+xml": "<svg onload=alert(1)>"}),
        shown({"image/png": '"><script>'}),
        {"output_type": "stream", "name": "stdout", "text": "</pre><script>"},
        {"output_type": "error", "ename": "<script>", "evalue": "<b>", "traceback": []},
    ]
    code = "</pre><script>alert(1)</script>"
    answers = {"text": HOSTILE, "own": code, "essay": HOSTILE}
    page = lab.page(None, answers, outputs, name="<script>alert(1)</script>")
    assert Requests(page).requests == [] and "<b>" not in page.partition("Your own")[2]
    assert "default-src 'none'" in page  # and a browser would refuse it all


def test_every_page_forbids_scripts_and_requests(project: Path) -> None:
    """START.html, which nobody but the kit writes into, is no page of this kind."""
    templates = project / "nbproctor/templates"
    pages = {path.name: path.read_text("utf-8") for path in templates.glob("*.html")}
    assert "default-src 'none'" in pages["head.html"]
    without = {
        name
        for name, text in pages.items()
        if "<html" in text and text.count('include "head.html"') != 1
    }
    assert without == {"start.html"}


def test_a_picture_carries_its_alternative_text(lab: Lab) -> None:
    data = {"image/png": PNG}

    def described(alt: object) -> dict[str, object]:
        return shown(data, {"image/png": {"alt": alt}})

    again = {"text/plain": "A hill,\nseen twice.", "text/html": "<b>"}
    outputs = [
        described("The sigmoid\x1b[1m rises."),
        described('"><script>alert(1)</script> \u202e' + "x" * 9_000),
        shown(data, "no mapping"),
        described(["no text"]),
        described("A dog."),
        shown({"text/plain": "A dog."}),
        shown(again),
    ]
    page = lab.page(None, None, outputs)
    alts = re.findall(r'<img src="data:image/png[^>]* alt="([^">]*)">', page)
    assert alts[0] == "The sigmoid rises."
    assert alts[1].startswith("scriptalert(1)/script x") and len(alts[1]) <= 300
    assert alts[2:] == ["Picture made by this cell"] * 2 + ["A dog."]
    assert page.count("A dog.") == 1  # the lab says it once more for screen readers
    assert "seen twice." in page
    assert Requests(page).requests == []


def test_pictures_of_the_notebook_are_in_the_page_and_no_other_file(
    tmp_path: Path,
) -> None:
    lab = Lab(tmp_path / "autograded")
    for path in (lab.folder / "mine.png", tmp_path / "outside.png"):
        path.write_bytes(base64.b64decode(PNG))
    (lab.folder / "grading.png").write_text("no picture")
    names = ("mine.png", "grading.png", "../outside.png", "attachment:a.png")
    text = " ".join(f"![{name}]({name})" for name in names)
    graded = lab.graded(None, {"text": text})
    path = Path(str(graded.path))
    notebook = read_json(path)
    attached = {"a.png": {"image/png": PNG, "text/html": "<script>"}}
    notebook["cells"][3]["attachments"] = attached
    path.write_text(json.dumps(notebook))
    feedback = Feedback(graded, lab.outline)
    page = feedback.page()
    assert re.findall('<img src="([^"]+)" alt="([^"]+)"', page) == [
        (f"data:image/png;base64,{PNG}", name) for name in (names[0], names[3])
    ]
    assert page.count("not included in this page") == 2
    assert "<script" not in json.dumps(feedback.notebook())


def test_a_formula_is_mathml_or_its_own_latex(lab: Lab) -> None:
    text = r"$\mathbf{x} < \mathscr{L}$ and $" + "{" * 3000 + r"$ and $\x{$" + "\n\n"
    page = lab.page(None, {"text": text + r"$$\sum_i x_i$$"})
    assert "<mi>𝐱</mi>" in page and "<mi>ℒ</mi>" in page
    assert '<math tabindex="0" display="block">' in page
    assert "{{{</code>" in page and r"<code>\x{</code>" in page


# --- time and memory ------------------------------------------------------------------

SLOW = {
    "spaces": {"text": "a" + " " * 100_000 + "b"},
    "names": {"own": ".".join(["a"] * 50_000)},
    "blank lines": {"own": "a" + " \n" * 50_000},
    "quotes": {"own": "'" * 100_000},
    "brackets": {"text": "[" * 100_000},
    "cells of a table": {"text": "|a" * 9 + "\n" + "|-" * 9 + "\n" + "|\n" * 90_000},
    "nesting": {"text": "> " * 50_000},
    "pictures": {"text": "![a" * 30_000},
    "formulas": {"text": "$a " * 30_000 + "${" * 5_000},
}


@pytest.mark.slow
@pytest.mark.parametrize("answers", SLOW.values(), ids=SLOW)
def test_no_cell_stalls_a_page(lab: Lab, answers: dict[str, str]) -> None:
    if "text" in answers:  # as a submission is repaired: never without
        answers = {"text": sanitize.markdown(answers["text"])}
    graded = lab.graded(None, answers)
    start = time.process_time()
    page = Feedback(graded, lab.outline).page()
    assert time.process_time() - start < 4
    assert ("left out …]" in page) == ("own" in answers)


def make_endless(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)  # whoever reads it waits forever


def make_large(path: Path) -> None:
    cells = '"cells": [' + '{"":0},' * 1_000_000
    path.write_text(path.read_text().replace('"cells": [', cells))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there are no such limits")
@pytest.mark.parametrize(("spoil", "times"), [(make_endless, 0.05), (make_large, 10)])
def test_a_page_that_takes_too_much_is_made_without_its_notebook(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[Path], None],
    times: float,
) -> None:
    monkeypatch.setattr(workers, "WALL_TIME_FACTOR", times * patience())
    monkeypatch.setattr(making, "MEMORY", 200 << 20)
    jobs = []
    for name in ("ann", "bob"):
        lab = Lab(tmp_path / name)
        graded = lab.graded(student=name)
        jobs.append(PageJob(graded, lab.folder / "lab.html", f"key of {name}"))
    spoil(Path(str(graded.path)))
    assert not any(job.is_made for job in jobs)
    finished = make(jobs, {"lab": lab.outline})
    assert sorted(job.key for job in finished) == [job.key for job in jobs]
    for job in jobs:
        page = job.page
        assert job.is_made and not replace(job, key="of another").is_made
        read_notebook(notebook_of(page))
        text = words(page.read_text())
        assert "7 / 10 points" in text
        assert (making.TOO_MUCH in text) == (job is jobs[1])
