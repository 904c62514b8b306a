"""Cells of a source notebook: kind, points, exercise and text of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from nbproctor.markers import asserts, only_hidden, without_regions

Kind = Literal["provided", "solution", "test", "helper", "task", "text"]
Where = Literal["judge", "beside", "nowhere"]

SKIP_TAG = "skip-grading"
_FLAGS = "grade", "solution", "locked", "task"  # nbgrader stores a cell with any


@dataclass(frozen=True)
class Cell:
    """One cell of the source notebook.

    Attributes
    ----------
    id : str
        ``grade_id``, or the notebook's own cell id where nbgrader has none.
    kind : Kind
        ``provided`` code, ``solution``, ``test`` (0 points: public), ``helper``
        (tools of the hidden tests, never shown to students), ``task`` (graded by
        hand) or ``text`` (locked Markdown).
    source : str
        The teacher's text: reference solution and hidden tests included.
    points : float
        What the cell is worth; 0 for everything ungraded.
    exercise : str or None
        ``id`` of the solution cell that this cell is, or scores.
    skip : bool
        The source tags this cell ``skip-grading``: a demo that grading does not run.
    cell_id : str
        The notebook format's cell id, by which lost metadata is found again.
    stub : str
        What a student is given: the text in the release, or, where there is no
        release, `source` without solution and hidden regions.
    nbgrader : dict
        nbgrader's metadata of the cell as it must be in every submission; empty
        for a cell that nbgrader does not know.
    where : Where
        Where a test cell is judged: in the ``judge``, ``beside`` the answer in the
        student's own process, or ``nowhere``, because nothing else can judge it.
    why : str
        Why it is not judged in the judge.
    """

    id: str
    kind: Kind
    source: str
    points: float
    exercise: str | None
    skip: bool
    cell_id: str
    stub: str
    nbgrader: dict[str, Any]
    where: Where = "judge"
    why: str = ""

    @property
    def locked(self) -> bool:
        """Whether the teacher's text replaces whatever a student made of it."""
        meta = self.nbgrader
        return bool(meta) and not meta["solution"] and (meta["grade"] or meta["locked"])

    @property
    def is_stored(self) -> bool:
        """Whether nbgrader stores the cell: grade, solution, locked or task is set."""
        return any(self.nbgrader.get(flag) for flag in _FLAGS)


def cell_name(cell: dict[str, Any], position: int) -> str:
    """Return ``grade_id``, or the cell's own id where nbgrader has none."""
    grader = cell.get("metadata", {}).get("nbgrader") or {}
    return str(grader.get("grade_id") or cell.get("id") or f"cell-{position}")


def read_cells(
    raw: list[dict[str, Any]], released: dict[str, dict[str, Any]]
) -> Iterator[Cell]:
    """Yield the cells of a source notebook: all code, and what nbgrader knows.

    Parameters
    ----------
    raw : list of dict
        The cells as the notebook format has them.
    released : dict
        Name → the same cell as students get it.

    Raises
    ------
    KeyError, ValueError, TypeError
        A cell is malformed, or leaves a region open.
    """
    exercise: str | None = None
    for position, cell in enumerate(raw):
        source = _text(cell["source"])
        meta = cell.get("metadata", {})
        grader = dict(meta.get("nbgrader") or {})
        if not (grader.get("grade_id") or any(map(grader.get, _FLAGS))):
            grader = {}  # earlier versions of nbgrader marked every cell, as nothing
        code = cell["cell_type"] == "code"
        if not code and not grader:
            continue
        flags = {key: bool(grader.get(key)) for key in ("grade", "solution", "locked")}
        name = cell_name(cell, position)
        points = float(grader.get("points") or 0)
        kind = _kind(source, grader and flags, code, points, exercise)
        if kind == "solution":
            exercise = name
        if grader:
            grader |= flags | {"cell_type": cell["cell_type"]}
        yield Cell(
            id=name,
            kind=kind,
            source=source,
            points=points,
            exercise=exercise if kind in ("solution", "test") else None,
            skip=SKIP_TAG in meta.get("tags", []),
            cell_id=str(cell.get("id", name)),
            stub=_text(released[name]["source"])
            if name in released
            else without_regions(source),
            nbgrader=grader,
        )


def _kind(
    source: str, flags: dict[str, Any], code: bool, points: float, exercise: str | None
) -> Kind:
    if not flags:
        return "provided"
    if not code:
        plain = flags["locked"] and not flags["grade"] and not flags["solution"]
        return "text" if plain else "task"
    if flags["solution"]:
        return "solution"
    if not points and only_hidden(source):
        return "helper"
    if flags["grade"]:
        return "test"
    if flags["locked"] and exercise and asserts(source):
        return "test"
    return "provided"


def _text(source: str | list[str]) -> str:
    return source if isinstance(source, str) else "".join(source)
