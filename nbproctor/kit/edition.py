"""Editions: a shorter assignment, made from a longer one by the tags of its cells.

A cell with the tag ``from-4-hours`` is not in an edition of fewer hours. If it is a
solution cell, its exercise is *given* there: students read the reference solution,
which is locked, and the tests of the exercise are left out. A comment ``<!-- below 4
hours … -->`` in the text of a cell replaces that text in editions of fewer hours; the
last that applies counts.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from nbproctor.cells import RawCell, RawNotebook, nbgrader_metadata
from nbproctor.errors import NbproctorError
from nbproctor.markers import Markers
from nbproctor.nbgrader import Course
from nbproctor.nbgrader.release import sections
from nbproctor.notebook import IGNORED, cell_name, read_cells
from nbproctor.writing import write_json

_TAG = re.compile(r"^from-(\d+)-hours$", re.MULTILINE)
_TEXT = re.compile(r"<!-- below (\d+) hours\n(.*?)\n-->", re.DOTALL)


class EditionError(NbproctorError):
    """An assignment has no edition of that length."""


def write_edition(
    course: Course,
    hours: int,
    source: Path,
) -> float:
    """Write the source and the variants of a shorter edition; return its points.

    Parameters
    ----------
    course : Course
        The course of both, at the assignment that has the tags.
    hours : int
        How long the edition is to take.
    source : Path
        Folder of the new assignment, whose name is that of the folder.

    Raises
    ------
    EditionError
        No cell has a tag for more hours.
    """
    assignment = course.assignment
    notebooks = {}
    provided = set()
    for path in course.sources():
        content = json.loads(path.read_text("utf-8"))
        notebooks[path], names = shorten(
            content=content,
            hours=hours,
            markers=course.markers,
        )
        provided |= names
    if not provided:
        raise EditionError(
            f"No exercise of {assignment} has a tag for more than {hours} hours, such "
            f"as 'from-{hours + 1}-hours'. Add it to cells of the source in JupyterLab."
        )
    folder = course.folder("source")
    ignored = shutil.ignore_patterns(*IGNORED, "*.ipynb")
    shutil.copytree(folder, source, ignore=ignored, dirs_exist_ok=True)
    variants = course.root / "variants"
    longer_variants = variants / assignment
    if longer_variants.is_dir():
        left_out = shutil.ignore_patterns(*provided)
        shutil.copytree(longer_variants, variants / source.name, ignore=left_out)
    # Last: only with its notebooks there is an assignment.
    points = 0.0
    for path, content in notebooks.items():
        name = source.name if path.stem == assignment else path.stem
        write_json(source / f"{name}.ipynb", content)
        cells = read_cells(
            raw=content["cells"],
            released={},
            markers=course.markers,
        )
        points += sum(cell.points for cell in cells)
    return points


def shorten(
    content: RawNotebook,
    hours: int,
    markers: Markers,
) -> tuple[RawNotebook, set[str]]:
    """Return a source notebook, changed in place, and the exercises given in it."""
    named_cells = {
        cell_name(raw, position): raw for position, raw in enumerate(content["cells"])
    }
    left_out = {name for name, raw in named_cells.items() if _hours_of(raw) > hours}
    provided = set()
    for cell in read_cells(
        raw=content["cells"],
        released={},
        markers=markers,
    ):
        if cell.kind == "solution" and cell.id in left_out:
            provided.add(cell.id)
            left_out.remove(cell.id)
        elif cell.kind == "test" and cell.exercise in provided:
            left_out.add(cell.id)
    cells = []
    for name, raw in named_cells.items():
        source = "".join(raw["source"])
        if name in provided:
            raw["source"] = markers.without_solution_markers(source)
            nbgrader_metadata(raw).update(
                grade=False,
                solution=False,
                locked=True,
            )
        for limit, text in _TEXT.findall(source):
            if hours < int(limit):
                raw["source"] = text
        if name not in left_out:
            cells.append(raw)
    for section in sections(cells):
        if any(nbgrader_metadata(cell).get("points") for cell in section.cells):
            continue
        text = "".join(section.heading_cell["source"])
        heading = re.sub(r"[\d.]+ points?\)$", "given)", section.heading)
        section.heading_cell["source"] = text.replace(section.heading, heading)
    return {**content, "cells": cells}, provided


def _hours_of(cell: RawCell) -> int:
    """Return how long the shortest edition with a cell takes."""
    tags = cell.get("metadata", {}).get("tags", [])
    return max(map(int, _TAG.findall("\n".join(tags))), default=0)
