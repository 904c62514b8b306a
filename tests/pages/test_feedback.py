"""The feedback page, from plain data: what it says, and what it never shows."""

from __future__ import annotations

import html
import json
import os
import re
import sys
import time
import zipfile
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest

from nbproctor.pages.annotated import annotated
from nbproctor.pages.archive import ArchiveError, pack
from nbproctor.pages.data import Mark, Submission
from nbproctor.pages.feedback import feedback_page, made_from
from nbproctor.pages.formulas import mathml
from nbproctor.pages.outline import Outline
from nbproctor.pages.report import class_report
from nbproctor.pages.summary import summarise
from nbproctor.pages.workers import Order, make, notebook_of
from tests.pages.lab import SECRET, graded, outline_in, submission, verdicts

PNG = "iVBORw0KGgo="  # how a PNG begins, in base64


@pytest.fixture
def outline(tmp_path: Path) -> Outline:
    return outline_in(tmp_path)


def words(page: str) -> str:
    """What a reader sees."""
    body = page[page.index("<main>") :]
    return " ".join(html.unescape(re.sub("<[^>]+>", " ", body)).split())


def row(page: str, exercise: str) -> str:
    rows = re.findall(r'<tr role="row".*?</tr>', page, re.DOTALL)
    return next(words("<main>" + r) for r in rows if exercise in r)


# --- the first screen -----------------------------------------------------------------


def test_headings_and_points_are_the_notebook_s(outline: Outline) -> None:
    assert outline.title == "A small lab"
    assert [(e.number, e.title, e.points) for e in outline.exercises] == [
        ("1.1", "First function", 3),
        ("1.2", "Second function", 4),
        ("1.3", "An essay", 3),
    ]
    assert outline.exercises[1].needs == ("first",)


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
    tmp_path: Path, heading: str, name: str, label: str
) -> None:
    first = outline_in(tmp_path, heading).exercises[0]
    assert (first.name, first.label) == (name, label)


def test_the_first_screen_says_it_all(outline: Outline, tmp_path: Path) -> None:
    said = verdicts(first_values=0, first_public=0)
    page = feedback_page(submission(graded(tmp_path), said), outline)
    assert "Ann Ode" in page
    assert "5 / 10 points" in words(page)
    assert "3 points are not given yet" in words(page)
    assert "1 / 3 partly right first-values is wrong." in row(page, "1.1")
    assert "4 / 4 passed" in row(page, "1.2")
    assert "to be graded by hand" in row(page, "1.3")
    assert "Look first at 1.1 First function" in words(page)


@pytest.mark.parametrize("blank", ["def first(x):", "def first(x):\n"])
def test_an_answer_that_was_not_begun_is_said(
    outline: Outline, tmp_path: Path, blank: str
) -> None:
    said = verdicts(first_values=0, first_types=0, first_public=0)
    page = feedback_page(submission(graded(tmp_path, first=blank), said), outline)
    assert "0 / 3 not started" in row(page, "1.1")


def test_who_has_all_points_of_an_exercise_sees_no_failure_of_it(
    outline: Outline, tmp_path: Path
) -> None:
    said = verdicts(first_values=0, second_public=0, second_values=0)
    said = [
        replace(
            v, points=4.0, source="follow-through", message="Right, given the rest."
        )
        if v.cell_id == "second-values"
        else v
        for v in said
    ]
    page = feedback_page(submission(graded(tmp_path), said), outline)
    sentence = "Fails only because of exercise 1.1; you have the points."
    assert f"4 / 4 right, given the others {sentence}" in row(page, "1.2")
    second = page[page.index('id="exercise-2"') : page.index('id="exercise-3"')]
    assert "is-failed" not in second and "second-public is wrong" not in second
    assert second.count(sentence) == 2


def test_a_public_test_that_fails_alone_costs_nothing_and_says_so(
    outline: Outline, tmp_path: Path
) -> None:
    made = submission(graded(tmp_path), verdicts(first_public=0))
    made = replace(made, marks=made.marks | {"essay": Mark(3, by_hand=True)})
    page = feedback_page(made, outline)
    assert "3 / 3 passed" in row(page, "1.1") and 'class="test is-failed"' not in page
    assert "stricter than those with points; you have the points" in words(page)


def test_marks_and_comments_by_hand_are_marked_so(
    outline: Outline, tmp_path: Path
) -> None:
    said = verdicts(second_values=0)
    marks = {v.cell_id: Mark(v.points) for v in said if v.max_points}
    marks |= {"second-values": Mark(3.5, by_hand=True), "essay": Mark(3, by_hand=True)}
    comments = {"second": "**Nearly**: see <script>alert(1)</script> $x<y$"}
    made = submission(graded(tmp_path), said, marks=marks, comments=comments)
    page = feedback_page(made, outline)
    assert "3.5 / 4 partly right by hand comment" in row(page, "1.2")
    assert "9.5 / 10 points" in words(page)
    assert "From your teacher" in page and "<strong>Nearly</strong>" in page
    assert "<script" not in page


def test_the_report_says_a_note_once_the_gravest_first(
    outline: Outline, tmp_path: Path
) -> None:
    path = graded(tmp_path)
    note = ["It was renamed."]
    class_ = [
        submission(path, verdicts(), student=student, status="repaired", notes=note)
        for student in ("ann", "bob", "cem", "dan")
    ]
    cut = Submission("eve", "Eve", "lab", "lab", "ungradable", ["It is cut short."])
    page = class_report([*class_, cut], {"lab": outline}, {}).page
    look = page[page.index("Look at these first") : page.index("Totals")]
    assert look.count("It was renamed.") == 1
    assert look.index("It is cut short.") < look.index("It was renamed.")
    assert all(student in look for student in ("ann", "bob", "cem", "dan", "eve"))


def test_whom_the_platform_calls_late_is_late_in_the_report(
    outline: Outline, tmp_path: Path
) -> None:
    ann = submission(graded(tmp_path), verdicts())
    bob = replace(ann, student="bob", name="Bob", late=7200.0)
    report = class_report([ann, bob], {"lab": outline}, {}, said_late={"ann", "zoe"})
    assert report.lines[0].endswith(", 2 late.")
    assert "Ann Ode ann : says the platform, but not how much" in words(report.page)
    assert "Bob bob : 2 hours" in words(report.page)


def test_a_test_judged_beside_the_answer_is_marked_so(
    outline: Outline, tmp_path: Path
) -> None:
    said = [
        replace(v, where="beside")
        if v.cell_id in ("first-values", "second-public")
        else v
        for v in verdicts(first_values=0)
    ]
    made = submission(graded(tmp_path), said)
    page = feedback_page(made, outline)
    assert page.count('<span class="soft beside">judged beside the answer</span>') == 2
    assert "ran in the same process as your code" in words(page)
    cells = [c["source"] for c in annotated(made, outline)["cells"]]
    assert sum("judged beside the answer" in source for source in cells) == 2
    plain = feedback_page(submission(graded(tmp_path), verdicts()), outline)
    assert "beside" not in words(plain)
    other = submission(
        graded(tmp_path), [replace(v, where="beside") for v in verdicts()]
    )
    report = class_report([made, replace(other, student="bob")], {"lab": outline}, {})
    assert "1.1 First function first-values 1 of 2" in words(report.page)
    assert "second-public" not in words(report.page)  # it has no points


def test_work_that_could_not_be_graded_gets_no_zero(outline: Outline) -> None:
    made = submission(
        None, [], status="ungradable", notes=["It is <b>no</b> notebook."]
    )
    page = feedback_page(replace(made, marks={}), outline)
    assert "– / 10 points" in words(page)
    assert "Could not be graded. " in words(page)
    assert "It is <b>no</b> notebook. This is not a zero" in words(page)


def test_a_repair_and_a_penalty_are_said(outline: Outline, tmp_path: Path) -> None:
    made = submission(
        graded(tmp_path), verdicts(), status="repaired", notes=["It was renamed."]
    )
    page = words(feedback_page(replace(made, late=7200.0, penalty=2.0), outline))
    assert "5 / 10" in page and "It was renamed. This cost you nothing." in page
    assert "Handed in 2 hours late. 2 points are taken off" in page


# --- what is never shown --------------------------------------------------------------


def test_hidden_tests_are_on_no_page_and_in_no_notebook(
    outline: Outline, tmp_path: Path
) -> None:
    made = submission(graded(tmp_path), verdicts(first_values=0))
    assert SECRET in Path(str(made.graded)).read_text()
    page, notebook = feedback_page(made, outline), annotated(made, outline)
    assert SECRET not in page and SECRET not in json.dumps(notebook)
    assert 'first(<span class="n">1</span>) == ' in page  # the public test
    nbformat.validate(nbformat.from_dict(notebook))
    assert "nbgrader" not in json.dumps([c["metadata"] for c in notebook["cells"]])
    assert any("first-values is wrong" in c["source"] for c in notebook["cells"])


class Requests(HTMLParser):
    """Collects what a browser would run or ask for."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "iframe", "object", "embed", "link", "base", "form"):
            self.found.append(tag)
        for name, value in attrs:
            asks = name in ("src", "srcset", "poster", "background", "data")
            if name.startswith("on") or (asks and not str(value).startswith("data:")):
                self.found.append(f"{name}={value}")
            if name == "href" and not re.match(r"#|https?://|mailto:", str(value)):
                self.found.append(f"{name}={value}")
            if name == "style" and "url" in str(value):
                self.found.append(f"{name}={value}")


HOSTILE = """\
<script>alert(1)</script> <img src=x onerror=alert(1)> ![p](http://127.0.0.1/p.png)
![q](javascript:alert(1)) [l](javascript:alert(1)) [m](data:text/html,x) ![s](../s.png)
$\\text{<script>alert(1)</script>}$ $\\href{javascript:alert(1)}{x}$
$\\style{background:url(http://127.0.0.1)}{x}$ <https://example.org/"onclick="alert(1)>

$$\\class{x" onclick="alert(1)}{y}$$

| `<b>` | <svg onload=alert(1)> |
|---|---|
"""


def test_what_a_student_wrote_runs_nothing_and_asks_for_nothing(
    outline: Outline, tmp_path: Path
) -> None:
    path = graded(
        tmp_path, text=HOSTILE, own="</pre><script>alert(1)</script>", essay=HOSTILE
    )
    notebook = json.loads(path.read_text())
    bundle = {"text/html": HOSTILE, "image/svg+xml": "<svg onload=alert(1)>"}
    notebook["cells"][1]["outputs"] = [
        {"output_type": "display_data", "data": bundle, "metadata": {}},
        {"output_type": "display_data", "data": {"image/png": '"><script>'}},
        {"output_type": "stream", "name": "stdout", "text": "</pre><script>"},
        {"output_type": "error", "ename": "<script>", "evalue": "<b>", "traceback": []},
    ]
    path.write_text(json.dumps(notebook))
    made = submission(path, verdicts(), name="<script>alert(1)</script>")
    page = feedback_page(made, outline)
    parser = Requests()
    parser.feed(page)
    assert parser.found == []
    assert "default-src 'none'" in page  # and a browser would refuse it all


def test_a_picture_carries_its_alternative_text(
    outline: Outline, tmp_path: Path
) -> None:
    path = graded(tmp_path)
    notebook = json.loads(path.read_text())
    data = {"image/png": PNG}

    def shown(alt: object) -> dict[str, object]:
        meta = {"image/png": {"alt": alt}}
        return {"output_type": "display_data", "data": data, "metadata": meta}

    again = {"text/plain": "A hill,\nseen twice.", "text/html": "<b>"}
    notebook["cells"][1]["outputs"] = [
        shown("The sigmoid\x1b[1m rises."),
        shown('"><script>alert(1)</script> \u202e' + "x" * 9_000),
        {"output_type": "display_data", "data": data, "metadata": "no mapping"},
        shown(["no text"]),
        shown("A dog."),
        {"output_type": "display_data", "data": {"text/plain": "A dog."}},
        {"output_type": "display_data", "data": again},
    ]
    path.write_text(json.dumps(notebook))
    page = feedback_page(submission(path, verdicts()), outline)
    alts = re.findall(r'<img src="data:image/png[^>]* alt="([^">]*)">', page)
    assert alts[0] == "The sigmoid rises."
    assert alts[1].startswith("scriptalert(1)/script x") and len(alts[1]) <= 300
    assert alts[2:] == ["Picture made by this cell"] * 2 + ["A dog."]
    assert page.count("A dog.") == 1  # the lab says it once more for screen readers
    assert "seen twice." in page
    parser = Requests()
    parser.feed(page)
    assert parser.found == []


def test_a_formula_is_mathml_of_known_elements_only() -> None:
    assert mathml(r"\sum_i x_i", block=True).startswith('<math display="block">')
    for latex in (r"\text{<b>}", r"\href{javascript:x}{y}", "{" * 3000, "\\", r"\x{"):
        made = mathml(latex, block=False)
        assert not re.search(r"<b>|href|script", made)


# --- time and memory ------------------------------------------------------------------

SLOW = {
    "spaces": {"text": "a" + " " * 100_000 + "b"},
    "names": {"own": ".".join(["a"] * 50_000)},
    "blank lines": {"own": "a" + " \n" * 50_000},
    "quotes": {"own": "'" * 100_000},
    "brackets": {"text": "[" * 100_000},
    "cells of a table": {"text": "|a" * 9 + "\n" + "|-" * 9 + "\n" + "|\n" * 90_000},
    "nesting": {"text": ">" * 100_000},
    "pictures": {"text": "![a" * 30_000},
    "formulas": {"text": "$a " * 30_000 + "${" * 5_000},
}


@pytest.mark.parametrize("answers", SLOW.values(), ids=SLOW)
def test_no_cell_stalls_a_page(
    outline: Outline, tmp_path: Path, answers: dict[str, str]
) -> None:
    made = submission(graded(tmp_path, **answers), verdicts())
    start = time.process_time()
    page = feedback_page(made, outline)
    assert time.process_time() - start < 2
    if len(next(iter(answers.values()))) > 50_000:
        assert "it was graded whole" in words(page)


def test_a_page_takes_a_tenth_of_a_second(outline: Outline, tmp_path: Path) -> None:
    made = submission(graded(tmp_path), verdicts())
    feedback_page(made, outline)
    start = time.process_time()
    for _ in range(10):
        feedback_page(made, outline)
        annotated(made, outline)
    assert time.process_time() - start < 10 * 0.1


@pytest.mark.slow
def test_a_worker_that_takes_too_long_is_ended_and_all_pages_are_made(
    outline: Outline, tmp_path: Path
) -> None:
    path = graded(tmp_path)
    orders = []
    for name in ("ann", "bob", "cem"):
        made = replace(submission(path, verdicts()), student=name)
        orders.append(Order(made, str(tmp_path / name / "lab.html"), f"key of {name}"))
    pipe = tmp_path / "pipe.ipynb"  # whoever reads it waits for ever
    nbformat_file = replace(orders[1].submission, graded=str(pipe))
    os.mkfifo(pipe)
    orders[1] = replace(orders[1], submission=nbformat_file)
    told: list[str] = []
    make(orders, {"lab": outline}, lambda o: told.append(o.key), seconds=5)
    assert sorted(told) == ["key of ann", "key of bob", "key of cem"]
    for name in ("ann", "bob", "cem"):
        page = tmp_path / name / "lab.html"
        assert made_from(page) == f"key of {name}"
        nbformat.read(notebook_of(page), as_version=4)
        text = words(page.read_text())
        assert "7 / 10 points" in text
        assert ("Your notebook is too much for this page" in text) == (name == "bob")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit")
def test_a_notebook_too_big_for_a_worker_still_gets_a_page(
    outline: Outline, tmp_path: Path
) -> None:
    path = graded(tmp_path)
    text = path.read_text()
    path.write_text(text.replace('"cells": [', '"cells": [' + '{"":0},' * 6_000_000))
    page = tmp_path / "ann" / "lab.html"
    make([Order(submission(path, verdicts()), str(page), "k")], {"lab": outline})
    assert "Your notebook is too much for this page" in words(page.read_text())


def test_a_page_can_be_made_with_every_cell_as_text(
    outline: Outline, tmp_path: Path
) -> None:
    made = submission(graded(tmp_path, text="# *Mine*"), verdicts())
    assert "<pre># *Mine*</pre>" in feedback_page(made, outline, plain=True)


# --- the zip --------------------------------------------------------------------------


def test_one_zip_has_a_file_for_each_student(tmp_path: Path) -> None:
    pages = []
    for name in ("ann", "bob"):
        path = tmp_path / name / "lab.html"
        path.parent.mkdir()
        path.write_text(name)
        pages.append((name, path))
    made = pack(pages, tmp_path / "out" / "feedback.zip", lambda s, f: f"{s}_42_{f}")
    with zipfile.ZipFile(made) as archive:
        assert archive.namelist() == ["ann_42_lab.html", "bob_42_lab.html"]
        assert archive.read("bob_42_lab.html") == b"bob"
    for naming in (lambda s, f: f, lambda s, f: f"../{s}", lambda s, f: f"/{s}"):
        with pytest.raises(ArchiveError):
            pack(pages, tmp_path / "out" / "bad.zip", naming)
    assert not (tmp_path / "out" / "bad.zip").exists()


def test_summary_without_a_notebook_still_has_its_points(outline: Outline) -> None:
    made = summarise(submission(None, verdicts(first_values=0)), outline, [])
    assert made.total == 5
    assert [r.state for r in made.rows] == ["partly", "passed", "waiting"]
