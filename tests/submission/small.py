"""A small assignment for tests of single steps: two functions, two nameless cells."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from nbproctor.notebook import MasterNotebook
from nbproctor.submission.read import RawCell
from tests.submission.test_answers import cell, solution, test_cell

TOOLS = "import math\nTAU = 2 * math.pi"
RULE = "print('-' * 79)"
AREA = "def area(r):\n    raise NotImplementedError"
SIDE = 'def side(a):\n    """Return it."""\n    raise NotImplementedError'
NAMELESS = "# YOUR CODE HERE\nraise NotImplementedError()"
WORDS = {
    "cell_type": "markdown",
    "id": "why",
    "metadata": {
        "nbgrader": {
            "grade_id": "why",
            "grade": True,
            "solution": True,
            "locked": False,
            "task": False,
            "points": 2,
            "schema_version": 3,
        }
    },
    "source": "YOUR ANSWER HERE",
}
DEMO: dict[str, Any] = {"cell_type": "code", "id": "demo", "metadata": {}}
CELLS: list[dict[str, Any]] = [
    cell("tools", TOOLS),
    cell("rule-1", RULE),
    solution("area", AREA),
    DEMO | {"source": "area(1)", "outputs": [], "execution_count": None},
    test_cell("area-test", "assert area(1) > 3"),
    cell("rule-2", RULE),
    solution("side", SIDE),
    test_cell("side-test", "assert side(4) == 2"),
    solution("first", NAMELESS),
    test_cell("first-test", "assert first == 1"),
    solution("second", NAMELESS),
    test_cell("second-test", "assert second == 2"),
    WORDS,
]


def notebook(cells: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a notebook of these cells."""
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def written(folder: Path) -> MasterNotebook:
    """Write the assignment, and read it."""
    path = folder / "m.ipynb"
    path.write_text(json.dumps(notebook(CELLS)))
    return MasterNotebook.read(path)


def raw(
    source: str, name: str | None = None, id: str = "", kind: str = "code"
) -> RawCell:
    """Return a cell of a student's, as it is read."""
    return {"cell_type": kind, "id": id, "grade_id": name, "source": source}
