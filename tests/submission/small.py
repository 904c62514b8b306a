"""A small assignment for tests of single steps: two functions, two nameless cells."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from nbproctor.cells import CellText, HandedCell
from nbproctor.notebook import MasterNotebook
from tests.notebooks import Notebook, cell, notebook

TOOLS = "import math\nTAU = 2 * math.pi"
RULE = "print('-' * 79)"
AREA = "def area(r):\n    raise NotImplementedError"
SIDE = 'def side(a):\n    """Return it."""\n    raise NotImplementedError'
NAMELESS = "# YOUR CODE HERE\nraise NotImplementedError()"


def solution(name: str, stub: str) -> Notebook:
    """Return the cell of an exercise."""
    return cell(name, stub, solution=True, locked=False)


def check(name: str, source: str) -> Notebook:
    """Return a test cell."""
    return cell(name, source, grade=True, points=1)


WORDS = cell("why", "YOUR ANSWER HERE", grade=True, solution=True, locked=False)
WORDS["metadata"]["nbgrader"]["points"] = 2
WORDS |= {"cell_type": "markdown"}
del WORDS["outputs"], WORDS["execution_count"]
DEMO: Notebook = {"cell_type": "code", "id": "demo", "metadata": {}}
CELLS: list[Notebook] = [
    cell("tools", TOOLS),
    cell("rule-1", RULE),
    solution("area", AREA),
    DEMO | {"source": "area(1)", "outputs": [], "execution_count": None},
    check("area-test", "assert area(1) > 3"),
    cell("rule-2", RULE),
    solution("side", SIDE),
    check("side-test", "assert side(4) == 2"),
    solution("first", NAMELESS),
    check("first-test", "assert first == 1"),
    solution("second", NAMELESS),
    check("second-test", "assert second == 2"),
    WORDS,
]


def master_of(cells: list[Notebook]) -> MasterNotebook:
    """Return an assignment of these cells, as it is read."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "m.ipynb")
        path.write_text(json.dumps(notebook(cells)))
        return MasterNotebook.read(path)


MASTER = master_of(CELLS)


def raw(
    source: str, name: str | None = None, id: str = "", kind: str = "code"
) -> HandedCell:
    """Return a cell of a student's, as it is read."""
    return HandedCell(kind, id, name, CellText(source))


def names(cells: list[Notebook]) -> str:
    """Return names of given cells, and texts of the student's own, in order."""
    marks = (cell["metadata"].get("nbgrader") for cell in cells)
    return " ".join(
        mark["grade_id"] if mark else cell["source"]
        for mark, cell in zip(marks, cells, strict=True)
    )
