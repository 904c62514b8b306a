"""The feedback page, from plain data: what it says, and what it never shows."""

from __future__ import annotations

import base64
import json
import os
import re
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import nbformat
import pytest

from nbproctor import sanitize
from nbproctor.pages import making
from nbproctor.pages.feedback_page import Feedback
from nbproctor.pages.making import PageJob, make, notebook_of
from nbproctor.pages.summary import GradedNotebook
from nbproctor.results import Mark, Measure, Verdict
from nbproctor.sandbox import workers
from nbproctor.statuses import STATUSES, Status
from tests.pages.lab import SECRET, Lab, Requests, verdicts, words
from tests.timing import patience

PNG = "iVBORw0KGgo="  # how a PNG begins, in base64


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def row(page: str, exercise: str) -> str:
    heads = re.findall(r"<summary><h3>.*?</summary>", page, re.DOTALL)
    heads += re.findall(r'<div class="head".*?</div>', page, re.DOTALL)
    return next(words(head) for head in heads if exercise in head)


def but(results: list[Verdict], *names: str, **fields: Any) -> list[Verdict]:
    """Return verdicts with other fields in some: of a test, or an exercise."""
    return [
        replace(v, **fields) if {v.cell_id, v.exercise} & {*names} else v
        for v in results
    ]


# --- the first screen -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("heading", "name", "label"),
    [
        ("### 3.1 Sums", "3.1 Sums", "exercise 3.1"),
        ("## 3.1 Sums (exercise 2, 6 points)", "3.1 Sums", "exercise 2 (3.1)"),
        ("## Sums · 6 points", "Sums", "Sums"),
        ("## Exercise 4: sums (1.5 pts)", "Exercise 4: sums", "exercise 4"),
        ("## 2 · Sums of 6 points of view", "2 Sums of 6 points of view", "exercise 2"),
    ],
)
def test_headings_are_read_as_people_write_them(
    tmp_path: Path,
    heading: str,
    name: str,
    label: str,
) -> None:
    first = Lab(tmp_path, heading).outline.exercises[0]
    assert (first.name, first.label) == (name, label)


def test_the_first_screen_says_it_all(lab: Lab) -> None:
    page = lab.page(verdicts(first_values=0, first_public=0))
    assert "Ann Ode" in page and SECRET not in page
    assert "5 / 10 points" in words(page)
    assert "3 points are not given yet" in words(page)
    assert "partly right 1 / 3 first-values is wrong." in row(page, "1.1")
    assert "passed 4 / 4" in row(page, "1.2")
    assert "to be graded by hand" in row(page, "1.3")
    step = "Fix next (+2 points) : 1.1 First function . first-values is wrong."
    assert step in words(page)
    without_a_notebook = lab.page(verdicts(first_values=0), path=None)
    assert "partly right 1 / 3 first-values is wrong." in row(without_a_notebook, "1.1")


@pytest.mark.parametrize("blank", ["def first(x):", "def first(x):\n"])
def test_an_answer_that_was_not_begun_is_said_once_and_not_as_a_mistake(
    lab: Lab, blank: str
) -> None:
    results = verdicts(
        first_values=0,
        first_types=0,
        first_public=0,
    )
    message = "Not solved yet: NotImplementedError."
    raised = but(results, "first", outcome="error", message=message)
    page = lab.page(raised, {"first": blank})
    assert row(page, "1.1").endswith("not started 0 / 3")
    step = "Do next (+3 points) : 1.1 First function . You have not started it."
    assert step in words(page)
    assert words(page).count("You have not started") == 1
    assert page.count('class="test is-not-started"') == 3
    assert "not right yet" not in words(page)


def test_the_cheapest_step_comes_first_and_what_was_not_run_is_no_mistake(
    lab: Lab,
) -> None:
    """Two mistakes in the first exercise, one in the second: begin with that one."""
    results = verdicts(
        first_values=0,
        first_types=0,
        second_values=0,
    )
    page = lab.page(results)
    assert "Fix next (+4 points) : 1.2 Second function . second-val" in words(page)
    for outcome, message in (
        ("died", "Not run: `first` was stopped in earlier tests."),
        ("not run", "This test is broken. Please tell your teacher: x"),
    ):
        stopped = but(results, "first-types", outcome=outcome, message=message)
        assert lab.page(stopped).count('class="test is-not-run"') == 1


def test_who_has_all_points_of_an_exercise_sees_no_failure_of_it(lab: Lab) -> None:
    results = verdicts(
        first_values=0,
        second_public=0,
        second_values=0,
    )
    followed = {
        "points": 4.0,
        "source": "follow-through",
        "message": "Right.",
    }
    page = lab.page(but(results, "second-values", **followed))
    sentence = "This test fails only because of exercise 1.1. You have the points."
    assert f"counted as passed 4 / 4 {sentence}" in row(page, "1.2")
    second = page[page.index('id="exercise-2"') : page.index('id="exercise-3"')]
    assert "is-failed" not in second and "second-public is wrong" not in second
    assert second.count(sentence) == 2


def test_a_public_test_that_fails_alone_costs_nothing_and_says_so(lab: Lab) -> None:
    graded = lab.graded(verdicts(first_public=0))
    graded.marks["essay"] = Mark(3, by_hand=True)
    page = Feedback(graded, lab.outline).page()
    assert "passed 3 / 3" in row(page, "1.1") and 'class="test is-failed"' not in page
    assert "stricter than the graded tests. You have the points" in words(page)
    assert "“counted as passed” means:" in words(page)  # no exercise has this result


def test_marks_and_comments_by_hand_are_marked_so(lab: Lab) -> None:
    comments = {"second": "**Nearly**: see <script>alert(1)</script> $x<y$"}
    graded = lab.graded(verdicts(second_values=0), comments=comments)
    by_hand = {"second-values": Mark(3.5, by_hand=True), "essay": Mark(3, by_hand=True)}
    graded.marks.update(by_hand)
    page = Feedback(graded, lab.outline).page()
    assert "partly right by hand comment 3.5 / 4" in row(page, "1.2")
    assert "9.5 / 10 points" in words(page)
    assert "From your teacher" in page and "<strong>Nearly</strong>" in page
    assert "<script" not in page


def test_a_test_judged_in_the_student_s_process_is_marked_so(lab: Lab) -> None:
    results = verdicts(first_values=0)
    results = but(results, "first-values", "second-public", where="beside")
    feedback = lab.feedback(results)
    page = feedback.page()
    label = "run in the student’s process"
    assert page.count(f'<span class="soft in-process">{label}</span>') == 2
    assert "ran in the same process as your code" in words(page)
    cells = [c["source"] for c in feedback.notebook()["cells"]]
    assert sum(label in source for source in cells) == 2
    assert SECRET not in "".join(cells)
    assert label not in words(lab.page())
    other = lab.graded(
        but(verdicts(), "first", "second", where="beside"), student="bob"
    )
    report = words(lab.report([lab.graded(results), other])[0])
    assert "1.1 First function first-values 1 of 2" in report
    assert "second-public" not in report  # it has no points


def test_work_that_could_not_be_graded_gets_no_zero(lab: Lab) -> None:
    notes = ["It is <b>no</b> notebook."]
    page = words(
        lab.page(
            [],
            path=None,
            status="ungradable",
            notes=notes,
            marks={},
        )
    )
    assert "– / 10 points" in page
    assert "Could not be graded. " in page
    assert "It is <b>no</b> notebook. This is not a zero" in page
    assert "How to get lab.ipynb" in page and "Download .ipynb" in page
    assert "How to get" not in words(lab.page())


@pytest.mark.parametrize("status", get_args(Status))
def test_every_status_has_words_of_its_own(lab: Lab, status: Status) -> None:
    headline = STATUSES[status].headline
    assert f"{headline}. " in words(lab.page(status=status))
    assert [row.headline for row in STATUSES.values()].count(headline) == 1
    lab.report([lab.graded(status=status)])


def test_a_repair_and_a_penalty_are_said(lab: Lab) -> None:
    notes = ["It was renamed."]
    page = words(
        lab.page(
            status="repaired",
            notes=notes,
            late=7200.0,
            penalty=2.0,
        )
    )
    assert "5 / 10" in page and "It was renamed. This cost you no points." in page
    assert "Submitted 2 hours late. 2 points are taken off" in page


# --- the class ------------------------------------------------------------------------


def test_the_report_says_a_note_once_the_gravest_first(lab: Lab) -> None:
    class_ = [
        lab.graded(
            student=student,
            status="repaired",
            notes=["It was renamed."],
        )
        for student in ("ann", "bob", "cem", "dan")
    ]
    cut = GradedNotebook("eve", "Eve", "lab", "lab", "ungradable", ["It is cut short."])
    page = lab.report([*class_, cut])[0]
    need_you = page.split("<h2>Totals")
    repaired = page.split("<h2>Repaired")
    assert "eve" in need_you[0] and "It is cut short." in need_you[0]
    assert page.count("It was renamed.") == 1 and "It was renamed." in repaired[1]
    assert all(student in repaired[1] for student in ("ann", "bob", "cem", "dan"))


def test_the_report_names_branches_that_no_test_has_entered(lab: Lab) -> None:
    line = "`f`, line 3: `return 0`"
    page, _ = lab.report([lab.graded(student="ann", untried=[line]), lab.graded()])
    section = page.split("<h2>Code that no test has run")[1]
    assert "<code>return 0</code>" in section and "ann" in section
    assert "return 0" not in lab.page(untried=[line])


def test_whom_the_platform_calls_late_is_late_in_the_report(lab: Lab) -> None:
    bob = lab.graded(
        student="bob",
        name="Bob",
        late=7200.0,
    )
    report = lab.report([lab.graded(), bob], late_without_time={"ann", "zoe"})
    assert report[1][0].endswith(", 2 late.")
    assert "Ann Ode ann : the platform does not say how late" in words(report[0])
    assert "Bob bob : 2 hours" in words(report[0])


def test_the_report_counts_points_mistakes_and_outcomes(lab: Lab) -> None:
    """Number n of 36 students loses n % 5 points, number 1 another, number 35 all."""
    class_ = []
    for n in range(36):
        wrong = {"first_values": 1} if n == 1 else {}
        wrong |= {"second_values": 4 - n % 5} if n % 5 else {}
        taken = 100.0 if n == 35 else 0.0  # no total falls below 0
        graded = lab.graded(
            verdicts(**wrong),
            student=f"s{n:02}",
            penalty=taken,
            waiting=[],
        )
        graded.marks["essay"] = Mark(3.0, by_hand=True)
        class_.append(graded)
    page, lines = lab.report(class_)
    assert lines[0] == "36 submitted, 36 graded."
    assert lines[1].startswith("Median 8 of 10 points")
    assert lines[2].startswith("Hardest exercise: 1.2 Second function, 51%")
    assert "(28 students): 1.2 Second function: second-values is" in lines[2]
    numbers = words(page).partition("The numbers points students")[2]
    counted = re.findall(r"to (?:under )?\d+ (\d+)", numbers)[:10]
    assert counted == ["1", "0", "0", "0", "0", "0", "7", "7", "8", "13"]
    item_rest = row_of(page, "1.2 Second function").split("%")[1].split()[0]
    assert item_rest == "-0.11"  # what it says of the points in all others
    assert 'aria-label="8 passed, 21 partly right, 7 not right yet"' in page
    few = words(lab.report(class_[:29])[0])
    assert "item-rest" not in few and "With 30 students or more" in few


def test_statistics_of_a_class_are_over_complete_totals_and_marked_essays(
    lab: Lab,
) -> None:
    """Ann's essay has 1 point, Bob's waits, Cem began none, Eve has no mark at all."""
    class_ = [lab.graded(verdicts(first_values=0), student="bob")]
    for student, essay in {"ann": Mark(1.0, by_hand=True), "cem": Mark(0.0)}.items():
        graded = lab.graded(student=student, waiting=[])
        graded.marks["essay"] = essay
        class_.append(graded)
    marks = {name: Mark() for name in class_[0].marks}
    class_.append(
        lab.graded(
            [],
            student="eve",
            status="ungradable",
            marks=marks,
            waiting=[],
        )
    )
    page, lines = lab.report(class_)
    assert lines == (
        "4 submitted, 2 graded, 1 to be graded by hand, 1 not graded.",
        "Median 7.5 of 10 points. The middle 50% of students have 7.25 to 7.75. "
        "Complete totals: 2 of 3.",
        "Hardest exercise: 1.3 An essay, 33% of its points earned.",
    )
    waiting = words(page).partition(" To be graded by hand ")[2].partition(" Totals ")
    assert "bob : essay" in waiting[0] and waiting[2].startswith("Complete totals: 2")
    assert not any(name in waiting[0] for name in ("cem", "eve"))
    lines = lab.report(class_[:1])[1]
    assert lines[1] == "No total is complete yet."
    assert lines[2].startswith("Hardest exercise: 1.1 First function, 33%")


def test_what_was_measured_is_on_page_notebook_and_report(lab: Lab) -> None:
    def measured(n: int) -> GradedNotebook:
        drawn = (("a <4>, read as 9", "iVBORw0KGgo="),) * (n == 2)
        note = "with one rest" if n > 3 else ""
        loops = Measure("loops a second", 10.0 * n, note, drawn)
        speed = Verdict("speed", None, 0, 0, "passed", measures=(loops,) * (n > 0))
        return lab.graded([*verdicts()[:-1], speed], student=f"s{n}", name="")

    for n, measure in enumerate(["", "oops a second: 10", "oops a second: 20"]):
        feedback = Feedback(measured(n), lab.outline)
        page = words(feedback.page())
        notebook = json.dumps(feedback.notebook())
        assert "7 / 10 points" in page
        assert measure in page and measure in notebook
        assert ("measured, not graded Loops" in page) == bool(measure)
        assert ("loops a second" in notebook) == bool(measure)
        assert "not graded Loops" not in page.partition("An essay")[0]
        shown = '<img alt="a &lt;4&gt;, read as 9" src="data:image/png;base64,iVBOR'
        assert (shown in feedback.page()) == (n == 2)
    page = words(lab.report([measured(n) for n in range(6)])[0])
    values = page.partition("Not part of the mark. 5 students")[2]
    assert values.startswith(". The median is 30.")
    assert "s5 50 with one rest s4 40 with one rest s3 30 s2 20 s1 10" in values
    assert "0 s0" not in values


def row_of(page: str, exercise: str) -> str:
    rows = re.findall(r"<tr>.*?</tr>", page, re.DOTALL)
    return next(words(r) for r in rows if exercise in r and "%" in words(r))


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
    bundle = {"text/html": HOSTILE, "image/svg+xml": "<svg onload=alert(1)>"}
    outputs = [
        {
            "output_type": "display_data",
            "data": bundle,
            "metadata": {},
        },
        {"output_type": "display_data", "data": {"image/png": '"><script>'}},
        {
            "output_type": "stream",
            "name": "stdout",
            "text": "</pre><script>",
        },
        {
            "output_type": "error",
            "ename": "<script>",
            "evalue": "<b>",
            "traceback": [],
        },
    ]
    code = "</pre><script>alert(1)</script>"
    answers = {
        "text": HOSTILE,
        "own": code,
        "essay": HOSTILE,
    }
    page = lab.page(None, answers, outputs, name="<script>alert(1)</script>")
    assert Requests(page).requests == [] and "<b>" not in page.partition("Your own")[2]
    assert "default-src 'none'" in page  # and a browser would refuse it all


def test_every_page_forbids_scripts_and_requests(project: Path) -> None:
    """START.html, which nobody but the kit writes into, is no page of this kind."""
    templates = project / "nbproctor/templates"
    assert "default-src 'none'" in (templates / "head.html").read_text("utf-8")
    pages = {path.name: path.read_text("utf-8") for path in templates.glob("*.html")}
    pages = {name: text for name, text in pages.items() if "<html" in text}
    without = {n for n, text in pages.items() if text.count('include "head.html"') != 1}
    assert without == {"start.html"}


def test_a_picture_carries_its_alternative_text(lab: Lab) -> None:
    data = {"image/png": PNG}

    def shown(alt: object) -> dict[str, object]:
        meta = {"image/png": {"alt": alt}}
        return {
            "output_type": "display_data",
            "data": data,
            "metadata": meta,
        }

    again = {"text/plain": "A hill,\nseen twice.", "text/html": "<b>"}
    outputs = [
        shown("The sigmoid\x1b[1m rises."),
        shown('"><script>alert(1)</script> \u202e' + "x" * 9_000),
        {
            "output_type": "display_data",
            "data": data,
            "metadata": "no mapping",
        },
        shown(["no text"]),
        shown("A dog."),
        {"output_type": "display_data", "data": {"text/plain": "A dog."}},
        {"output_type": "display_data", "data": again},
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
    lab: Lab, tmp_path: Path
) -> None:
    png = base64.b64decode(PNG)
    inside = tmp_path / "autograded"
    inside.mkdir()
    for path in (inside / "mine.png", tmp_path / "outside.png"):
        path.write_bytes(png)
    (inside / "grading.png").write_text("no picture")
    names = ("mine.png", "grading.png", "../outside.png", "attachment:a.png")
    text = " ".join(f"![{name}]({name})" for name in names)
    graded = lab.graded(None, {"text": text})
    notebook = json.loads(Path(str(graded.path)).read_text())
    attached = {"a.png": {"image/png": PNG, "text/html": "<script>"}}
    next(c for c in notebook["cells"] if c["source"] == text)["attachments"] = attached
    (inside / "lab.ipynb").write_text(json.dumps(notebook))
    graded = replace(graded, path=str(inside / "lab.ipynb"))
    feedback = Feedback(graded, lab.outline)
    page = feedback.page()
    assert re.findall('<img src="([^"]+)" alt="([^"]+)"', page) == [
        (f"data:image/png;base64,{PNG}", "mine.png"),
        (f"data:image/png;base64,{PNG}", "attachment:a.png"),
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


def order_of(graded: GradedNotebook, folder: Path) -> PageJob:
    page = folder / graded.student / "lab.html"
    return PageJob(graded, str(page), f"key of {graded.student}")


TOO_MUCH = "Showing your notebook on this page would take too much"


@pytest.mark.slow
def test_a_worker_that_takes_too_long_is_ended_and_all_pages_are_made(
    lab: Lab,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(workers, "WALL_TIME_FACTOR", 2)
    pipe = tmp_path / "pipe.ipynb"  # whoever reads it waits forever
    os.mkfifo(pipe)
    class_ = [lab.graded(student=name) for name in ("ann", "bob", "cem")]
    class_[1] = replace(class_[1], path=str(pipe))
    orders = [order_of(graded, tmp_path) for graded in class_]
    assert not any(order.is_made for order in orders)
    seconds = round(2 * patience())
    finished = make(orders, {"lab": lab.outline}, seconds=seconds)
    assert {order.key for order in finished} == {order.key for order in orders}
    for order in orders:
        page = Path(order.page)
        assert order.is_made and not replace(order, key="of another").is_made
        nbformat.read(notebook_of(page), as_version=4)
        text = words(page.read_text())
        assert "7 / 10 points" in text
        assert (TOO_MUCH in text) == (order.graded.student == "bob")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit")
def test_a_notebook_too_big_for_a_worker_still_gets_a_page(
    lab: Lab,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(making, "MEMORY", 200 << 20)
    graded = lab.graded()
    path = Path(str(graded.path))
    text = path.read_text()
    path.write_text(text.replace('"cells": [', '"cells": [' + '{"":0},' * 1_000_000))
    order = order_of(graded, tmp_path)
    assert [*make([order], {"lab": lab.outline})] == [order]
    assert TOO_MUCH in words(Path(order.page).read_text())
