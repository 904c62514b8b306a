"""Outline of an assignment, the same on all its pages: headings and points."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import TypeAlias

from markdown_it import MarkdownIt

from nbproctor import sanitize
from nbproctor.notebook import Cell, MasterNotebook

_MARKDOWN = MarkdownIt("commonmark")
_NUMBER = re.compile(r"(\d+(?:\.\d+)*)[.):]?\s+(?:[·–—-]\s+)?(.+)")
# "(5 points)", "(exercise 3, 5 points)", "· 5 points" at the end of a heading
_WORTH = r"\b\d+(\.\d+)?\s*(points?|pts?|marks?)\b"
_POINTS = re.compile(rf"(?i)\s*(\([^()]*{_WORTH}[^()]*\)|[·,–—-]?\s*{_WORTH})\s*$")


@dataclass(frozen=True)
class Exercise:
    """Exercise on a page: a solution with its tests, or a cell graded by hand."""

    id: str  # of its solution cell, or of the only graded cell
    number: str  # of the Markdown heading above it; may be empty
    title: str
    points: float
    tests: tuple[str, ...]  # in source order, public ones included
    by_hand: tuple[str, ...]  # cells that only a person can grade

    @property
    def graded(self) -> tuple[str, ...]:
        """Its tests, and its cells that are graded by hand."""
        return self.tests + self.by_hand

    @property
    def name(self) -> str:
        """Number and title, as a reader finds them in the notebook."""
        return f"{self.number} {self.title}".strip()


@lru_cache(maxsize=500)  # the text of the assignment is the same on every page
def texts_in(markdown: str) -> tuple[tuple[str, str], ...]:
    """Return the texts in Markdown: ``h1`` to ``h6``, ``p`` or ``li``, and the words.

    ``li`` is whatever is inside a list or a quote. Code is left out, as ``#`` begins a
    comment there.
    """
    return tuple(
        (opening.tag if inline.level == 1 else "li", inline.content)
        for opening, inline in pairwise(_MARKDOWN.parse(markdown))
        if inline.type == "inline" and inline.content
    )


def headings_in(markdown: str) -> list[tuple[str, str]]:
    """Return the headings in Markdown: HTML tag (``h1`` to ``h6``), text."""
    return [(tag, text) for tag, text in texts_in(markdown) if tag.startswith("h")]


Outlines: TypeAlias = Mapping[str, "Outline"]
"""Notebook name → outline."""


@dataclass(frozen=True)
class Outline:
    """One notebook of an assignment, as the pages show it."""

    master: MasterNotebook
    title: str  # its first heading of level 1, or its name
    exercises: tuple[Exercise, ...]  # in source order

    @classmethod
    def of(cls, master: MasterNotebook) -> Outline:
        """Return the outline of a master notebook."""
        titles = (
            heading
            for _, text in master.texts
            for tag, heading in headings_in(text)
            if tag == "h1"
        )
        return cls(
            master=master,
            title=next(titles, master.notebook),
            exercises=tuple(_exercises(master)),
        )

    @cached_property
    def cells(self) -> dict[str, Cell]:
        """Cells of the master notebook, by their names."""
        return {cell.id: cell for cell in self.master.cells}

    @cached_property
    def texts(self) -> set[str]:
        """The Markdown of the student version, and its sanitized form."""
        return {
            form.strip()
            for _, text in self.master.texts
            for form in (text, sanitize.markdown(text))
        }

    @property
    def points(self) -> float:
        """Points of the notebook."""
        return sum(exercise.points for exercise in self.exercises)


def _headings(master: MasterNotebook) -> dict[str, list[str]]:
    """Return the headings above each cell, or in it: innermost first."""
    # Number of cells above → tag and text of each heading.
    headings_at = defaultdict[int, list[tuple[str, str]]](list)
    for position, text in master.texts:
        headings_at[position] += headings_in(text)
    headings = {}
    current: list[tuple[str, str]] = []
    for index, cell in enumerate(master.cells):
        for tag, text in headings_at[index]:
            outer = [heading for heading in current if heading[0] < tag]
            current = [(tag, text), *outer]
        headings[cell.id] = [text for _, text in current]
    return headings


def _exercises(master: MasterNotebook) -> Iterator[Exercise]:
    headings = _headings(master)
    groups = defaultdict(list)
    for cell in master.cells:
        if cell.points or cell.kind in ("solution", "test"):
            groups[cell.exercise or cell.id].append(cell)
    exercises = {
        name: group
        for name, group in groups.items()
        if group[0].kind == "solution" or any(cell.points for cell in group)
    }
    uses = Counter(text for name in exercises for text in headings[name])
    for name, group in exercises.items():
        # Not "Example" or "Solution", which several exercises have, but an outer one.
        heading = min(headings[name], key=uses.__getitem__, default="")
        text = _POINTS.sub("", heading)
        number = ""
        title = text or name
        if numbered := _NUMBER.fullmatch(text):
            number, title = numbered.groups()
        if text and uses[heading] > 1:
            title += f" ({name})"
        yield Exercise(
            id=name,
            number=number,
            title=title,
            points=sum(cell.points for cell in group),
            tests=tuple(cell.id for cell in group if cell.kind == "test"),
            by_hand=tuple(
                cell.id for cell in group if cell.points and cell.kind != "test"
            ),
        )
