"""Checks of a source notebook, before a release is made from it."""

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

from nbproctor.errors import NbproctorError
from nbproctor.markers import has_hidden_tests
from nbproctor.notebook import MasterNotebook, MasterNotebookError

_FENCED = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#+) +(.*?)\s*$", re.MULTILINE)
# What a heading may end with: "(7 points)", "(exercise 3, 7 points)".
_POINTS = re.compile(r"\((?:[^()]*, )?(\d+(?:\.\d+)?) points?\)$")


class CourseError(NbproctorError):
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
        master = MasterNotebook.read(notebook)
    except MasterNotebookError as error:
        raise CourseError(str(error)) from error
    content = json.loads(notebook.read_text("utf-8"))
    cells: list[dict[str, Any]] = content["cells"]
    problems = [
        *_id_problems(content),
        *_metadata_problems(cells),
        *_name_problems(cells),
        *_points_problems(cells),
        *_hidden_problems(master),
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


def _id_problems(content: dict[str, Any]) -> Iterator[str]:
    """Ask for the cell ids that the format asks for: since 4.5, for all of them."""
    ids = [cell.get("id") for cell in content["cells"]]
    if content.get("nbformat_minor", 0) >= 5 and not all(ids):
        # nbformat would make up new ids every time.
        yield "some cells have no id: open the notebook in JupyterLab and save it"


def _name_problems(cells: list[dict[str, Any]]) -> Iterator[str]:
    names = Counter(meta.get("grade_id") for _, meta in _graders(cells))
    for name, count in names.items():
        if name and count > 1:
            yield f"grade_id {name!r} is used by {count} cells; give each its own"


def _points_problems(cells: list[dict[str, Any]]) -> Iterator[str]:
    """Compare what headings say with what the test cells of their sections give."""
    open_ones: list[tuple[int, str]] = []  # level and text, the outermost first
    said: dict[str, float] = {}
    given: defaultdict[str, float] = defaultdict(float)
    for cell in cells:
        text = "".join(cell["source"])
        meta = cell.get("metadata", {}).get("nbgrader") or {}
        if cell["cell_type"] == "code" and meta.get("grade"):
            for _, heading in open_ones:
                given[heading] += float(meta.get("points") or 0)
        if cell["cell_type"] != "markdown":
            continue
        for marks, heading in _HEADING.findall(_FENCED.sub("", text)):
            open_ones = [one for one in open_ones if one[0] < len(marks)]
            if found := _POINTS.search(heading):
                said[heading] = float(found[1])
                open_ones.append((len(marks), heading))
    for heading, points in said.items():
        if abs(given[heading] - points) > 1e-9:
            yield (
                f"the heading {heading!r} says {points:g} points, but the test cells "
                f"below it sum to {given[heading]:g}"
            )


def _hidden_problems(master: MasterNotebook) -> Iterator[str]:
    for cell in master.cells:
        if has_hidden_tests(cell.source) and cell.kind not in ("test", "helper"):
            # It would run where student code does, who could read and replace it.
            yield (
                f"{cell.id!r} holds hidden tests, but is no test: give it points, or "
                "put tools of hidden tests into a cell of their own"
            )
