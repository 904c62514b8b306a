"""Reading the cells of a notebook, in whatever form programs have left them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbproctor.submission.decode import CONFLICT, TWO_VERSIONS, Side, content
from nbproctor.submission.files import Candidate, Ungradable, readable
from nbproctor.submission.scan import INVISIBLE, visible

MAX_CELLS = 5_000
MAX_CELL_CHARS = 2_000_000  # pasted pictures are long
MAX_LINE_CHARS = 50_000  # of a cell that is too long as a whole
MAX_SOURCE_CHARS = 4_000_000
_FENCED = re.compile(r"\s*```+\w*\n(.*?)\n?```+\s*", re.DOTALL)

RawCell = dict[str, Any]


@dataclass(frozen=True)
class Handed:
    """A notebook as it was read.

    Attributes
    ----------
    path, name
        The file, and what to call it.
    cells
        Type, id, nbgrader's name and text of each cell.
    language
        Of the kernel that the notebook asks for.
    notes
        What had to be done to read it.
    merged
        Whether it holds two versions, of which one was read.
    """

    path: Path
    name: str
    cells: list[RawCell]
    language: str
    notes: list[str]
    merged: bool = False


def read(candidate: Candidate, side: Side = "ours") -> Handed:
    """Read one notebook file, of any notebook format from 2 to 4.5.

    Parameters
    ----------
    candidate : Candidate
        The file.
    side : {"ours", "theirs"}
        Which version to take where a merge left both.

    Raises
    ------
    Ungradable
        The file is empty, too big, cut short, or no notebook.
    """
    notes: list[str] = []
    name = candidate.name
    notebook = content(candidate, notes, side)
    raw = notebook.get("cells")
    if raw is None and isinstance(notebook.get("worksheets"), list):
        sheets = [s for s in notebook["worksheets"] if isinstance(s, dict)]
        raw = [
            cell
            for sheet in sheets
            if isinstance(sheet.get("cells"), list)
            for cell in sheet["cells"]
        ]
        notes.append("Your notebook was in an old format; it was converted.")
    if not isinstance(raw, list):
        raise Ungradable(f"'{name}' is not a notebook: it has no cells.")
    if len(raw) > MAX_CELLS:
        raise Ungradable(f"'{name}' has more than {MAX_CELLS} cells.")
    cells = [_clean(cell) for cell in raw if isinstance(cell, dict)]
    if len(cells) < len(raw) or any(_damaged(c) for c in raw if isinstance(c, dict)):
        notes.append(
            "Some cells of your notebook were damaged; what they said is lost."
        )
    if any([_shorten(cell) for cell in cells]):
        notes.append(
            f"Cells of more than {MAX_CELL_CHARS:,} characters were cut: their "
            "longest lines, or all of their text, were left out."
        )
    if sum(len(cell["source"]) for cell in cells) > MAX_SOURCE_CHARS:
        raise Ungradable(f"'{name}' holds more text than can be graded.")
    if any("\r" in cell["source"] for cell in cells):
        for cell in cells:
            cell["source"] = cell["source"].replace("\r\n", "\n").replace("\r", "\n")
        notes.append("Line ends of your cells were converted to the usual ones.")
    merged = any([_without_conflict(cell, side) for cell in cells])
    merged = merged or TWO_VERSIONS in notes
    notes = [note for note in notes if note != TWO_VERSIONS]
    if merged:
        which = "first" if side == "ours" else "second"
        notes.append(f"{TWO_VERSIONS}; the {which} was graded.")
    if any([_without_fence(cell) for cell in cells]):
        notes.append("Fences around your code (```) were taken off.")
    if any([_without_invisible(cell) for cell in cells]):
        notes.append("Invisible signs in your code, as after pasting, were replaced.")
    return Handed(candidate.path, name, cells, _language(notebook), notes, merged)


def _clean(cell: RawCell) -> RawCell:
    """Return type, id, nbgrader's metadata and text of a cell, and nothing else.

    Stored outputs (of any size), widget state, tags and view settings have no part
    in grading; attachments are pictures of hand-graded answers.
    """
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        lines = [line for line in source if isinstance(line, str)]
        # Some programs leave out the line ends that belong to the format.
        ends = any("\n" in line for line in lines)
        source = ("" if ends else "\n").join(lines)
    meta = cell.get("metadata")
    grader = meta.get("nbgrader") if isinstance(meta, dict) else None
    name = grader.get("grade_id") if isinstance(grader, dict) else None
    kind = cell.get("cell_type")
    clean: RawCell = {
        "cell_type": kind if kind in ("code", "raw") else "markdown",
        "id": cell.get("id") if isinstance(cell.get("id"), str) else "",
        "grade_id": name if isinstance(name, str) else None,
        "source": readable(source) if isinstance(source, str) else "",
    }
    if kind == "markdown" and isinstance(cell.get("attachments"), dict):
        clean["attachments"] = cell["attachments"]
    return clean


def _damaged(cell: RawCell) -> bool:
    """Whether a cell has no text, or text of a kind that no program writes."""
    source = cell.get("source", cell.get("input"))
    if isinstance(source, list):
        return not all(isinstance(line, str) for line in source)
    return not isinstance(source, str)


def _shorten(cell: RawCell) -> bool:
    """Take the longest lines, then everything, from a cell that is too long."""
    source = cell["source"]
    if len(source) <= MAX_CELL_CHARS:
        return False
    lines = source.split("\n")
    source = "\n".join(line for line in lines if len(line) <= MAX_LINE_CHARS)
    cell["source"] = source if len(source) <= MAX_CELL_CHARS else ""
    return True


def _without_conflict(cell: RawCell, side: Side) -> bool:
    """Take one side where a merge left marks of a conflict in a cell."""
    source = cell["source"]
    if "<<<<<<<" not in source or ">>>>>>>" not in source:
        return False
    cell["source"] = CONFLICT.sub(rf"\g<{side}>", source)
    return bool(cell["source"] != source)


def _without_fence(cell: RawCell) -> bool:
    """Take off the fence around the code of a whole cell, as chats write it."""
    fenced = _FENCED.fullmatch(cell["source"])
    if not fenced or not (cell["cell_type"] == "code" or cell["grade_id"]):
        return False
    cell["source"] = fenced[1]
    return True


def _without_invisible(cell: RawCell) -> bool:
    """Replace blanks that are none to Python, but for those in strings."""
    if cell["cell_type"] != "code" or not INVISIBLE.search(cell["source"]):
        return False
    source = visible(cell["source"])
    changed = source != cell["source"]
    cell["source"] = source
    return bool(changed)


def _language(notebook: dict[str, Any]) -> str:
    meta = notebook.get("metadata")
    for key, field in (("kernelspec", "language"), ("language_info", "name")):
        section = meta.get(key) if isinstance(meta, dict) else None
        value = section.get(field) if isinstance(section, dict) else None
        if isinstance(value, str):
            return readable(value)
    return "python"
