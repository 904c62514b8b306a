"""Every page in a real browser: axe-core finds nothing, and print shows all of it."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nbproctor.audit.result import AuditResult, Entry, write
from nbproctor.audit.variants import Kind, Trial
from nbproctor.pages.feedback_page import Feedback
from nbproctor.pages.summary import GradedNotebook
from nbproctor.results import Check, Measure
from tests.pages.browser import MARKS, accessible, browser
from tests.pages.lab import Lab, shown, verdicts

pytestmark = MARKS


@pytest.fixture(scope="module")
def page() -> Iterator[Any]:
    with browser() as context:
        yield context.new_page()


@pytest.fixture(scope="module")
def written(module_path: Path) -> Path:
    """A folder with a page of each kind."""
    lab = Lab(module_path)
    text = "# Mine\n\n| a | b |\n|---|---|\n| $x$ | [l](https://example.org) |\n"
    added = "def f(x: int) -> str:\n    return 'é'  # comment\nprint(1.5)"
    pixel = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
    drawn = Measure("part that is read", 0.9, pictures=(("a 4, read as 9", pixel),) * 6)
    results = verdicts(first_values=0, first_public=0, second_public=0)
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": "1.5\n" * 100},
        shown({"image/png": pixel}),
        {"output_type": "error", "ename": "E", "evalue": "", "traceback": ["Oh"]},
    ]
    ann = lab.graded(
        [replace(verdict, measures=(drawn,)) for verdict in results],
        {"text": text, "own": added},
        outputs,
        comments={"first": "Look *here*."},
        late=9000.0,
    )
    bob = lab.graded(student="bob", status="repaired", notes=["So."])
    cem = GradedNotebook("cem", "", "lab", "lab", "ungradable", ["It is no notebook."])
    class_ = {"mistakes": ann, "right": bob, "refused": cem}
    pages = {name: Feedback(each, lab.outline).page() for name, each in class_.items()}
    pages["report"], _ = lab.report([*class_.values()])
    write_audit(module_path)
    for name, content in pages.items():
        (module_path / f"{name}.html").write_text(content, "utf-8")
    return module_path


def audit_of(kind: Kind, lost: float = 1.5, **caught: str) -> Entry:
    trial = Trial("first", kind, "line 3: + → -", "", "", "- x\n+ y", unnamed=True)
    entry = Entry.from_trial(trial, [], {}, notes=("A note.",))
    return replace(
        entry,
        lost=lost,
        most=3,
        caught=caught,
        silent=0.5,
        unannounced=3,
        fuzzed=True,
    )


def write_audit(folder: Path) -> None:
    """Write the page of an audit that has found something of each kind."""
    entries = (
        audit_of("right", first="`first` is wrong."),
        audit_of("wrong", first="`first` is wrong."),
        audit_of("mutant", lost=0),
    )
    tests = {"first": {"first-values": 2.0, "first-types-of-a-rather-long-name": 1.0}}
    checks = (Check("blank", False, "1 point"),)
    hints = ("Read its tests.",)
    write(AuditResult("audit", tests, entries, checks, (), hints, 3.0), folder)


@pytest.mark.parametrize("name", ["mistakes", "right", "refused", "report", "audit"])
def test_axe_finds_nothing_and_no_page_is_cut(
    page: Any,
    written: Path,
    axe: str,
    name: str,
) -> None:
    accessible(page, (written / f"{name}.html").as_uri(), axe)


def test_forced_colours_leave_the_bars(page: Any, written: Path) -> None:
    page.emulate_media(color_scheme="light", forced_colors="active")
    page.goto((written / "right.html").as_uri())
    colour = page.locator(".bar b").first.evaluate(
        "bar => getComputedStyle(bar).backgroundColor"
    )
    assert colour == "rgb(47, 158, 99)"  # passed


def test_print_opens_what_is_folded(page: Any, written: Path) -> None:
    page.emulate_media(
        media="screen",
        color_scheme="light",
        forced_colors="none",
    )
    page.set_viewport_size({"width": 1200, "height": 900})
    page.goto((written / "right.html").as_uri())
    answer = page.get_by_text("def first(x):").first
    assert not answer.is_visible()
    page.emulate_media(media="print")
    assert answer.is_visible() and page.get_by_text("Types.").first.is_visible()
    printed = page.pdf(prefer_css_page_size=True)
    page.emulate_media(media="screen")
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) in (1, 2, 3)
