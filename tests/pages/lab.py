"""A small lab and what students submit, as pages are made from it."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from nbproctor.notebook import MasterNotebook
from nbproctor.pages.feedback_page import Feedback
from nbproctor.pages.outline import Outline
from nbproctor.pages.report import class_report
from nbproctor.pages.summary import GradedNotebook
from nbproctor.results import Mark, Verdict
from tests import notebooks
from tests.broken.cases import write

SECRET = "only the hidden test knows this"
HIDDEN = f"### BEGIN HIDDEN TESTS\nassert {SECRET!r}\n### END HIDDEN TESTS"
CELLS = f"""
--- plain markdown
# A small lab

## 1.1 First function (3 points) ##

### Example
--- first solution
def first(x):
    ### BEGIN SOLUTION
    return x
    ### END SOLUTION
--- first-public test
# Public.
assert first(1) == 1
--- first-values test 2
# Values.
{HIDDEN}
--- first-types test 1
# Types.
### No part of the title.
{HIDDEN}
--- tools
# Tools of the tests.
{HIDDEN}
--- plain markdown
## 1.2 Second function

### Example

$\\sum_i x_i$
--- second solution
def second(x):
    first(x)
    ### BEGIN SOLUTION
    return x
    ### END SOLUTION
--- second-public test
# Public.
assert second(1) == 1
--- second-values test 4
# Values.
{HIDDEN}
--- speed test
f = second
# How fast.
{HIDDEN}
--- plain markdown
## 1.3 An essay
--- essay markdown test solution 3
Why?"""


RIGHT = {name: f"def {name}(x):\n    return x" for name in ("first", "second")}
#: Most points of each test.
TESTS = {
    "first-public": 0.0,
    "first-values": 2.0,
    "first-types": 1.0,
    "second-public": 0.0,
    "second-values": 4.0,
    "speed": 0.0,
}


def source_cells() -> list[dict[str, Any]]:
    cells = notebooks.cells_of(CELLS)
    for each in cells:
        if each["id"] == "plain":
            each["metadata"] = {}
        if each["id"] == "speed":
            each["metadata"]["tags"] = ["ungraded"]
    return cells


class Lab:
    """The lab in a folder, and what Ann submitted."""

    def __init__(self, folder: Path, heading: str = "") -> None:
        self.folder = folder
        cells = source_cells()
        if heading:
            # Not a heading: a comment in fenced code.
            cells[0]["source"] = f"# A small lab\n\n{heading}\n\n- ~~~\n  # Code"
        content = notebooks.notebook(cells)
        path = write(folder / "source/lab", content, "lab.ipynb")
        self.outline = Outline.of(MasterNotebook.read(path))

    def graded(
        self,
        results: list[Verdict] | None = None,
        answers: dict[str, str] | None = None,
        outputs: Sequence[Any] = (),
        *,
        marks: Mapping[str, Mark] = {},
        **fields: Any,
    ) -> GradedNotebook:
        """Return her graded notebook, all of it passed except for `results`.

        `answers` are texts by cell; ``own`` and ``text`` are cells that she added.
        `outputs` are those of her answer to the first exercise. `marks` are those that
        are not the points of `results`, `fields` others of the record.
        """
        results = verdicts() if results is None else results
        texts = RIGHT | (answers or {})
        cells = source_cells()
        cells[1]["outputs"] = outputs
        for name, kind in ("own", "code"), ("text", "markdown"):
            if name in texts:
                added = notebooks.cell(name, "", kind)
                cells.insert(3, added | {"metadata": {}})
        for each in cells:
            each["source"] = texts.get(each["id"], each["source"])
        path = write(self.folder, {"cells": cells, "metadata": {}}, "graded.ipynb")
        points = {v.cell_id: Mark(v.points) for v in results if v.max_points}
        ann = GradedNotebook(
            student="ann",
            name="Ann Ode",
            assignment="lab",
            notebook="lab",
            status="graded",
            verdicts=results,
            marks={"essay": Mark(), **points, **marks},
            waiting=["essay"],
            path=path,
        )
        return replace(ann, **fields)

    def feedback(self, *args: Any, **more: Any) -> Feedback:
        return Feedback(self.graded(*args, **more), self.outline)

    def page(self, *args: Any, **more: Any) -> str:
        return self.feedback(*args, **more).page()

    def report(self, class_: list[GradedNotebook], **options: Any) -> Any:
        return class_report(class_, {"lab": self.outline}, {}, **options)


def verdicts(**points: float) -> list[Verdict]:
    """Every test passed, except those in `points`."""
    results = []
    for name, most in TESTS.items():
        earned = points.get(name.replace("-", "_"))
        verdict = Verdict(name, name.partition("-")[0], most, most, "passed")
        if earned is not None:
            verdict = replace(
                verdict,
                points=earned,
                outcome="failed",
                message=f"{name} is wrong.",
            )
        results.append(verdict)
    return results


def shown(data: object, metadata: object = ()) -> dict[str, object]:
    """Return an output that shows something."""
    return {"output_type": "display_data", "data": data, "metadata": metadata or {}}


def words(page: str) -> str:
    """What a reader sees."""
    body = page[page.index("<main>") :] if "<main>" in page else page
    return " ".join(html.unescape(re.sub("<[^>]+>", " ", body)).split())


def read_words(page: Path) -> str:
    """What a reader sees of a file."""
    return words(page.read_text("utf-8"))


ACTIVE = ("script", "iframe", "object", "embed", "link", "base", "form")
SOURCES = ("src", "srcset", "poster", "background", "data")


class Requests(HTMLParser):
    """Collects what a browser would run or ask for."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.requests: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ACTIVE:
            self.requests.append(tag)
        for name, value in attrs:
            text = str(value)
            is_script = name.startswith("on")
            asks = name in SOURCES and not text.startswith("data:")
            leads = name == "href" and not re.match(r"#|https?://|mailto:", text)
            draws = name == "style" and "url" in text
            if is_script or asks or leads or draws:
                self.requests.append(f"{name}={text}")
