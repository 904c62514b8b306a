"""Sections of a graded notebook, one an exercise, with each cell rendered."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from typing import Any, Literal

from nbproctor.notebook import Cell
from nbproctor.pages import cells as html
from nbproctor.pages.data import grade_id, source_of
from nbproctor.pages.outline import HEADING, Outline, digest
from nbproctor.pages.summary import Row, Summary
from nbproctor.pages.tested import Test
from nbproctor.sanitize import one_line

MAX_CELLS = 1000
MAX_TEXT = 2_000_000  # characters of a page's cells, all together
SECONDS = 1.0  # of this processor, after which cells are shown as they are


@dataclass(frozen=True)
class Block:
    """One cell on the page.

    Attributes
    ----------
    kind
        ``task``: text of the assignment; ``given``: code of the assignment;
        ``answer``: a solution cell; ``own``: any other cell of the student's;
        ``test``: a test cell.
    body
        HTML of the cell's text, safe to show.
    text
        Whether the body is text, not code.
    outputs
        HTML of its outputs, safe to show.
    test
        What the test says, for a test cell.
    comment
        HTML of what a person wrote about it.
    """

    kind: Literal["task", "given", "answer", "own", "test"]
    body: str
    outputs: str = ""
    test: Test | None = None
    comment: str = ""
    text: bool = False

    @property
    def of_the_lab(self) -> bool:
        """Whether students got it like this, and nobody said anything about it."""
        return self.kind in ("task", "given") and not self.comment


@dataclass
class Section:
    """A part of the notebook under one heading."""

    title: str
    row: Row | None = None
    blocks: list[Block] = field(default_factory=list)

    @property
    def own(self) -> bool:
        """Whether it is graded, holds a student's own cell, or something went wrong."""
        return self.row is not None or any(
            not block.of_the_lab or html.ERROR in block.outputs for block in self.blocks
        )

    @property
    def groups(self) -> list[list[Block]]:
        """The blocks, text and code of the assignment that follow each other as one."""
        made: list[list[Block]] = []
        for block in self.blocks:
            before = made[-1][-1] if made else None
            if block.of_the_lab and before and before.of_the_lab and not before.outputs:
                made[-1].append(block)
            else:
                made.append([block])
        return made


class Room:
    """Room that a page has left; what is left out is recorded.

    Attributes
    ----------
    cuts : list of str
        Sentences on what is not as it was handed in.
    """

    def __init__(self, *, plain: bool = False) -> None:
        self.cuts: list[str] = []
        self._plain = plain
        self._until = time.process_time() + SECONDS
        self._left = MAX_TEXT

    def lays_out(self, text: str, most: int) -> bool:
        """Whether there is time to lay out a text; if not, it is said."""
        late = self._plain or time.process_time() > self._until
        if late or len(text) > most:
            self._say("A cell that takes too long to lay out is shown as plain text.")
            return False
        return True

    def cut(self, text: str) -> str:
        """Return as much of a text as fits."""
        most = min(html.MAX_CODE, self._left)
        self._left -= min(len(text), most)
        if len(text) <= most:
            return text
        self._say("A cell that is too long for this page is cut.")
        return f"{text[:most]}\n[… {len(text) - most} characters left out …]"

    def first(self, cells: Sequence[Any]) -> Sequence[Any]:
        """Return as many cells as fit."""
        if len(cells) > MAX_CELLS:
            self._say(f"Only the first {MAX_CELLS} cells are shown.")
        return cells[:MAX_CELLS]

    def _say(self, sentence: str) -> None:
        if sentence not in self.cuts:
            self.cuts.append(sentence)


def sections(
    cells: Sequence[Mapping[str, Any]],
    outline: Outline,
    summary: Summary,
    comments: Mapping[str, str],
    folder: Path,
    room: Room,
) -> list[Section]:
    """Cut a notebook at its headings, and where one exercise follows another.

    Parameters
    ----------
    cells
        Of the graded notebook. What the assignment locks is shown as students got
        it: a hidden test is never part of that.
    comments
        Cell → what a person wrote about it.
    folder
        Where the notebook is, for pictures beside it.
    room
        What the page may take.
    """
    master_cells = {cell.id: cell for cell in outline.master.cells}
    rows = {row.exercise.id: row for row in summary.rows}
    tests = {test.id: test for row in summary.rows for test in row.tests}
    cut = [Section("")]
    here = cut[0]
    of_row: dict[str, Section] = {}
    for cell in room.first(cells):
        master_cell = master_cells.get(grade_id(cell) or str(cell.get("id")))
        if master_cell is not None and master_cell.kind == "helper":
            continue
        source = source_of(cell)
        from_source = (
            cell.get("cell_type") == "markdown" and digest(source) in outline.texts
        )
        if heading := HEADING.search(source) if from_source else None:
            here = Section(one_line(heading[2], 120))
            cut.append(here)
        name = (master_cell.exercise or master_cell.id) if master_cell else ""
        if name in rows:
            if name not in of_row and here.row is not None:
                cut.append(Section(""))
                here = cut[-1]
            here = of_row.setdefault(name, here)
            here.row, here.title = rows[name], rows[name].exercise.name
        block = _block(cell, source, master_cell, tests, outline, folder, room)
        if block:
            comment = comments.get(grade_id(cell), "")
            said = html.markdown(room.cut(comment)) if comment else ""
            here.blocks.append(replace(block, comment=said))
    return [section for section in cut if section.blocks]


def _block(
    cell: Mapping[str, Any],
    source: str,
    master_cell: Cell | None,
    tests: Mapping[str, Test],
    outline: Outline,
    folder: Path,
    room: Room,
) -> Block | None:
    if master_cell is not None and master_cell.kind == "test":
        test = tests.get(master_cell.id)
        return (
            Block("test", html.known_code(master_cell.stub), test=test)
            if test
            else None
        )
    if cell.get("cell_type") == "code":
        outputs = html.outputs(cell.get("outputs"))
        if master_cell is not None and master_cell.locked:
            return Block("given", html.known_code(master_cell.stub), outputs)
        if master_cell is not None and master_cell.kind == "solution":
            return Block("answer", _code(source, room), outputs)
        if master_cell is not None and digest(source) == digest(master_cell.stub):
            return Block("given", html.known_code(master_cell.stub), outputs)
        return Block("own", _code(source, room), outputs) if source.strip() else None
    if cell.get("cell_type") != "markdown":
        return None
    by_hand = master_cell is not None and master_cell.kind == "task"
    from_source = not by_hand and digest(source) in outline.texts
    if from_source and "](" not in source:
        return Block("task", html.known_markdown(source), text=True)
    if not room.lays_out(source, html.MAX_MARKDOWN):
        return Block(
            "own", f"<pre>{escape(room.cut(source), quote=False)}</pre>", text=True
        )
    attached = cell.get("attachments")
    attached = attached if isinstance(attached, Mapping) else None
    text = html.markdown(room.cut(source), attached, folder)
    kind: Literal["task", "answer", "own"] = "task" if from_source else "own"
    if by_hand:
        kind = "answer"
    return Block(kind, text, text=True) if source.strip() else None


def _code(source: str, room: Room) -> str:
    if room.lays_out(source, html.MAX_CODE):
        return html.code(room.cut(source))
    return escape(room.cut(source), quote=False)
