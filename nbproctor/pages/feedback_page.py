"""Feedback on one graded notebook: a page, and a copy with the feedback in its cells.

Both show the same cells. A locked cell is shown as students got it, so without hidden
tests.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from nbproctor import sanitize
from nbproctor.cells import RawCell, RawNotebook, grade_id, source_of
from nbproctor.notebook import PYTHON_NOTEBOOK
from nbproctor.pages import html
from nbproctor.pages.outline import Outline, headings_in
from nbproctor.pages.summary import (
    GradedNotebook,
    ResultRow,
    Summary,
    Test,
)
from nbproctor.results import Output, cells_of
from nbproctor.templates import render

# Hints, which a notebook collapses; sanitizing would show them all.
_FOLDED = re.compile(r"\s*< ?details")
# ``given``: a cell of the assignment; ``own``: a cell that the student added.
Role = Literal["given", "answer", "own", "test"]


@dataclass(frozen=True)
class ShownCell:
    """One cell of the graded notebook, as the student may see it."""

    role: Role
    exercise: str  # exercise that it answers or tests, or its own name
    source: str
    heading: str  # heading in it, if the cell is the assignment's
    is_markdown: bool  # it is Markdown, not code
    attached: sanitize.Pictures  # pictures that its Markdown shows
    outputs: Sequence[Output]
    test: Test | None
    comment: str  # by a person, in Markdown

    @property
    def is_given(self) -> bool:
        """Whether the cell is the assignment's, and has no comment by a person."""
        return self.role == "given" and not self.comment

    @property
    def empty(self) -> bool:
        """Whether the cell has nothing to show."""
        if self.role == "test":
            return not self.test
        if self.source.strip():
            return False
        return self.is_markdown or self.role == "own"


@dataclass
class Section:
    """A part of the notebook under one heading."""

    title: str
    row: ResultRow | None = None
    cells: list[ShownCell] = field(default_factory=list)

    @property
    def has_student_cell(self) -> bool:
        """Whether it has a cell of the student, or a cell that failed."""
        for cell in self.cells:
            kinds = {output["output_type"] for output in cell.outputs}
            if not cell.is_given or "error" in kinds:
                return True
        return False

    @property
    def groups(self) -> list[list[ShownCell]]:
        """Its cells; consecutive cells of the assignment form one group."""
        groups: list[list[ShownCell]] = []
        may_join = False  # the previous group
        for cell in self.cells:
            if cell.is_given and may_join:
                groups[-1].append(cell)
            else:
                groups.append([cell])
            may_join = cell.is_given and not cell.outputs
        return groups


class Feedback:
    """The content of page and notebook; the graded notebook is read once."""

    def __init__(self, graded: GradedNotebook, outline: Outline) -> None:
        self._graded = graded
        self._outline = outline
        raw = cells_of(graded.path)
        self._summary = Summary(graded, outline, raw)
        self._tests = {test.id: test for test in self._summary.ungraded}
        for row in self._summary.rows:
            self._tests |= {test.id: test for test in row.tests}
        self._cells = [*filter(None, map(self._visible_cell, raw))]

    def page(self, key: str = "") -> str:
        """Return the page as HTML, complete in one file.

        `key` is the fingerprint of everything that it was made from.
        """
        graded = self._graded
        folder = graded.path.parent if graded.path else None
        exercises, others = self._sections()
        return render(
            "feedback.html",
            key=key,
            graded=graded,
            outline=self._outline,
            summary=self._summary,
            exercises=exercises,
            others=others,
            inline=html.inline,
            code=html.code,
            outputs=html.outputs,
            markdown=partial(html.markdown, folder=folder),
        )

    def notebook(self) -> RawNotebook:
        """Return a notebook (format 4.5) that shows feedback below each cell.

        It has no metadata of nbgrader, so that nobody can submit it by mistake.
        """
        overview = render(
            "overview.md",
            graded=self._graded,
            outline=self._outline,
            summary=self._summary,
            plain=_plain,
        )
        cells = [_text(overview.strip())]
        for cell in self._cells:
            if cell.is_markdown:
                entry = _text(sanitize.markdown(cell.source, cell.attached))
                if cell.attached:
                    entry["attachments"] = cell.attached
            else:
                entry = {
                    "cell_type": "code",
                    "metadata": {},
                    "source": cell.source,
                    "outputs": cell.outputs,
                    "execution_count": None,
                }
            cells.append(entry)
            if cell.test:
                verdict = render(
                    "verdict.md",
                    test=cell.test,
                    plain=_plain,
                )
                cells.append(_text(verdict.strip()))
            if cell.comment:
                quoted = "\n> ".join(sanitize.markdown(cell.comment).splitlines())
                cells.append(_text(f"> **From your teacher:** {quoted}"))
        for number, entry in enumerate(cells):
            entry["id"] = f"feedback-{number}"
        return {"cells": cells} | PYTHON_NOTEBOOK

    def _visible_cell(self, cell: RawCell) -> ShownCell | None:
        """Return a cell as the student may see it; None: it must stay hidden."""
        name = grade_id(cell)
        cell_type = cell.get("cell_type")
        is_markdown = cell_type == "markdown"
        master = self._outline.cells.get(name or str(cell.get("id")))
        source = source_of(cell)
        if not is_markdown and cell_type != "code":
            return None
        if master:
            if master.kind == "helper":
                return None
            if master.locked or master.kind == "test":
                source = master.stub
        from_source = is_markdown and source.strip() in self._outline.texts
        if from_source and _FOLDED.match(source):
            return None
        role: Role = "given" if from_source else "own"
        exercise = ""
        if master:
            exercise = master.exercise or master.id
            if master.kind == "test":
                role = "test"
            elif master.kind in ("solution", "task"):
                role = "answer"
            elif source.strip() == master.stub.strip():
                role = "given"
        headings = headings_in(source) if from_source else []
        heading = headings[0][1] if headings else ""
        test = self._tests.get(name)
        attached: sanitize.Pictures = {}
        outputs: Sequence[Output] = []
        if is_markdown:
            attached = sanitize.attachments(cell.get("attachments"))
        elif not test:
            outputs = sanitize.clean(cell.get("outputs"))
        return ShownCell(
            role=role,
            exercise=exercise,
            source=source,
            heading=sanitize.one_line(heading, 120),
            is_markdown=is_markdown,
            attached=attached,
            outputs=outputs,
            test=test,
            comment=self._graded.comments.get(name, ""),
        )

    def _sections(self) -> tuple[list[Section], list[Section]]:
        """Return a section for each exercise, and other sections with student's cells.

        The notebook is divided at its headings, and where an exercise follows another.
        """
        rows = {row.exercise.id: row for row in self._summary.rows}
        section = Section("")
        sections = [section]
        of_row: dict[str, Section] = {}
        for cell in self._cells:
            if cell.heading:
                section = Section(cell.heading)
                sections.append(section)
            row = rows.get(cell.exercise)
            if row:
                if cell.exercise not in of_row and section.row:
                    section = Section("")
                    sections.append(section)
                section = of_row.setdefault(cell.exercise, section)
                section.row = row
                section.title = row.exercise.name
            if not cell.empty:
                section.cells.append(cell)
        exercises = [
            of_row.get(name, Section(row.exercise.name, row))
            for name, row in rows.items()
        ]
        others = [s for s in sections if not s.row and s.has_student_cell]
        return exercises, others


def _plain(text: str) -> str:
    """Return a sentence, escaped so that Markdown shows it unchanged."""
    return sanitize.markdown(text).replace("|", "\\|").replace("$", "\\$")


def _text(source: str) -> RawCell:
    return {
        "cell_type": "markdown",
        "metadata": {},
        "source": source,
    }
