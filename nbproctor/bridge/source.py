"""What is wrong with a source notebook, before anything is made from it."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.nbgraderformat import (
    MetadataValidator,
    SchemaTooOldError,
    ValidationError,
)

from nbproctor.bundle import Bundle, BundleError

# What a heading says of the exercise below it: "(exercise 3, 7 points)".
_HEADING = re.compile(r"^#+ .*?(\d+(?:\.\d+)?) points?\b", re.MULTILINE)


class CourseError(Exception):
    """Something a teacher has to put right; the message says what and how."""


def check_source(notebook: Path) -> None:
    """Check a source notebook before anything is made from it.

    Parameters
    ----------
    notebook : Path
        ``source/<assignment>/<notebook>.ipynb``.

    Raises
    ------
    CourseError
        Names the file, every wrong cell, and the next step.
    """
    try:
        bundle = Bundle.read(notebook)
    except BundleError as error:
        raise CourseError(str(error)) from error
    cells: list[dict[str, Any]] = json.loads(notebook.read_text("utf-8"))["cells"]
    problems = [
        *_metadata_problems(cells),
        *_name_problems(cells),
        *_points_problems(cells),
        *_hidden_problems(bundle),
    ]
    if problems:
        raise CourseError(
            f"{notebook} cannot be released:\n"
            + "\n".join(f"  - {problem}" for problem in problems)
            + "\nCorrect these cells in JupyterLab (View, Create Assignment), save, "
            "and run the command again."
        )


def _graders(cells: list[dict[str, Any]]) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, cell in enumerate(cells, 1):
        if meta := cell.get("metadata", {}).get("nbgrader"):
            yield number, meta


def _metadata_problems(cells: list[dict[str, Any]]) -> Iterator[str]:
    validator = MetadataValidator()
    for number, meta in _graders(cells):
        name = f"cell {number} ({meta.get('grade_id', 'no grade_id')!r})"
        cell = cells[number - 1]
        node = NotebookNode(
            cell_type=cell["cell_type"],
            source="".join(cell["source"]),
            metadata=NotebookNode(nbgrader=meta),
        )
        try:
            validator.validate_cell(node)
        except SchemaTooOldError:
            yield f"{name}: its nbgrader metadata is old; run 'nbgrader update .'"
        except ValidationError as error:
            yield f"{name}: {error.message}"
        except KeyError as error:
            yield f"{name}: its nbgrader metadata has no {error}"


def _name_problems(cells: list[dict[str, Any]]) -> Iterator[str]:
    names = Counter(meta.get("grade_id") for _, meta in _graders(cells))
    for name, count in names.items():
        if name and count > 1:
            yield f"grade_id {name!r} is used by {count} cells; give each its own"
    if not all(cell.get("id") for cell in cells):
        # nbformat would make up new ids every time.
        yield "some cells have no id; save it in notebook format 4.5 or newer"


def _points_problems(cells: list[dict[str, Any]]) -> Iterator[str]:
    """Compare what the heading of an exercise says with what its test cells give."""
    heading, exercise = None, ""
    said: dict[str, float] = {}
    given: defaultdict[str, float] = defaultdict(float)
    for cell in cells:
        if cell["cell_type"] == "markdown":
            found = _HEADING.findall("".join(cell["source"]))
            heading = float(found[-1]) if found else heading
            continue
        meta = cell.get("metadata", {}).get("nbgrader") or {}
        if meta.get("solution"):
            exercise = str(meta.get("grade_id"))
            if heading is not None:
                said[exercise], heading = heading, None
        if meta.get("grade"):
            given[exercise] += float(meta.get("points") or 0)
    for exercise, points in said.items():
        if abs(given[exercise] - points) > 1e-9:
            yield (
                f"the heading of {exercise!r} says {points:g} points, but its test "
                f"cells sum to {given[exercise]:g}"
            )


def _hidden_problems(bundle: Bundle) -> Iterator[str]:
    for cell in bundle.cells:
        if "BEGIN HIDDEN TESTS" in cell.source and cell.kind not in ("test", "oracle"):
            # It would run where student code does, who could read and replace it.
            yield (
                f"{cell.id!r} holds hidden tests, but is no test: give it points, or "
                "put tools of hidden tests into a cell of their own"
            )
