"""Rebuild a gradable notebook from the cells of a submission and of the master."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import Any

from nbproctor import sanitize
from nbproctor.notebook import Cell, MasterNotebook
from nbproctor.submission.answers import (
    Match,
    as_given,
    plain,
    unanswered,
)
from nbproctor.submission.gather import Gathered
from nbproctor.submission.kept import kept
from nbproctor.submission.read import RawCell

# position in the student's notebook, cell of the master, cell of the new notebook
Entry = tuple[int | None, Cell | None, dict[str, Any]]

_harmless = kept(sanitize.markdown)

_SAID = {
    "found": "Cells that had lost their marks (as after Colab or VS Code) were found "
    "again by their id, text and place",
    "restored": "Locked cells were put back as given",
    "copies": "Unchanged copies of given cells were left out",
    "text": "Answers that had become text cells are code again",
    "moved": "Locked cells were moved back to their place",
    "missing": "Locked cells that were missing were put back",
    "elsewhere": "Answers were found in a cell that is not their own",
    "kept": "What you had added to locked cells is in cells of its own now",
    "unclear": "What you had written into locked cells is not graded, because nothing "
    "tells which exercise it answers",
    "lost": "There is no cell in your notebook for",
}


def rebuild(
    gathered: Gathered, master: MasterNotebook
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the cells of a gradable notebook, and sentences on what was changed."""
    cells, match = gathered.cells, gathered.match
    changes: dict[str, list[str]] = {key: [] for key in _SAID}
    changes["elsewhere"] += gathered.moved
    changes["kept"] += gathered.kept
    changes["unclear"] += gathered.unclear
    moved = _misplaced(match, master)
    given = _Copies(master)
    out: list[Entry] = []
    for position, raw in enumerate(cells):
        cell = match.get(position)
        if cell is None:
            if copy := given.of(raw):
                changes["copies"].append(copy.id)
            else:
                out.append((position, None, _own(raw)))
        elif position in moved:
            changes["moved"].append(cell.id)
        else:
            if raw["grade_id"] != cell.id and cell.id not in gathered.moved:
                changes["found"].append(cell.id)
            if cell.locked and not as_given(raw, cell):
                changes["restored"].append(cell.id)
            elif raw["cell_type"] != cell.nbgrader["cell_type"]:
                changes["text"].append(cell.id)
            out.append((position, cell, _of_master(cell, raw["source"], raw)))
    _insert_absent(out, master, changes)
    rebuilt = _with_ids([cell for _, _, cell in out])
    return rebuilt, [
        f"{_SAID[key]}: {_some(names)}." for key, names in changes.items() if names
    ]


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    return ", ".join(names[:4]) + more


class _Copies:
    """Finds copies of given cells, which must not run a second time."""

    def __init__(self, master: MasterNotebook) -> None:
        cells = [cell for cell in master.cells if cell.nbgrader]
        self._by_name = {cell.id: cell for cell in cells}
        self._by_text = {
            plain(cell.stub): cell
            for cell in cells
            if plain(cell.stub) and (cell.locked or cell.kind == "solution")
        }

    def of(self, raw: RawCell) -> Cell | None:
        """Return the given cell of which this is an unchanged copy."""
        cell = self._by_name.get(raw["grade_id"] or "")
        if cell and (cell.locked or unanswered(raw["source"], cell)):
            return cell
        return self._by_text.get(plain(raw["source"]))


def _insert_absent(
    out: list[Entry], master: MasterNotebook, changes: dict[str, list[str]]
) -> None:
    """Put every cell that is not there after the cell it follows in the source."""
    there = {cell.id for _, cell, _ in out if cell is not None}
    if all(cell.id in there for cell in master.cells if cell.nbgrader):
        return
    spot = 0
    for cell in master.cells:
        if not cell.nbgrader:
            continue
        present = [
            i for i, (_, master_cell, _) in enumerate(out) if master_cell is cell
        ]
        if present:
            spot = present[0] + 1
            continue
        if cell.kind in ("solution", "task"):
            changes["lost"].append(cell.id)
        elif cell.id not in changes["moved"]:
            changes["missing"].append(cell.id)
        out.insert(spot, (None, cell, _of_master(cell, "", None)))
        spot += 1


def _misplaced(match: Match, master: MasterNotebook) -> set[int]:
    """Return the positions of locked cells that stand where they cannot work.

    A test needs its answer and the given code above it; given code needs its order.
    """
    order = {cell.id: i for i, cell in enumerate(master.cells)}
    tests = {p: cell for p, cell in match.items() if cell.kind == "test"}
    others = {p: cell for p, cell in sorted(match.items()) if p not in tests}
    kept = _in_order([order[cell.id] for cell in others.values()])
    locked = {p: order[cell.id] for p, cell in others.items() if cell.locked}
    wrong = {p for p, rank in locked.items() if rank not in kept}
    answers = {cell.id: p for p, cell in others.items() if cell.kind == "solution"}
    for position, cell in tests.items():
        needed = [
            p for p, rank in locked.items() if p not in wrong and rank < order[cell.id]
        ]
        if position < max([answers.get(cell.exercise or "", -1), *needed]):
            wrong.add(position)
    return wrong


def _in_order(ranks: list[int]) -> set[int]:
    """Return the longest run of source positions that is in order already."""
    tails: list[int] = []
    chains: list[list[int]] = []
    for rank in ranks:
        at = bisect_left(tails, rank)
        chain = [*(chains[at - 1] if at else []), rank]
        tails[at : at + 1], chains[at : at + 1] = [rank], [chain]
    return set(chains[-1]) if chains else set()


def _of_master(cell: Cell, source: str, raw: RawCell | None) -> dict[str, Any]:
    kind = cell.nbgrader["cell_type"]
    new = _own({**(raw or {}), "cell_type": kind, "id": cell.cell_id, "source": source})
    if cell.locked:
        new["source"] = cell.source
    new["metadata"]["nbgrader"] = dict(cell.nbgrader)
    return new


def _own(raw: RawCell) -> dict[str, Any]:
    new = {key: raw[key] for key in ("cell_type", "id", "source")} | {"metadata": {}}
    if raw["cell_type"] == "code":
        new |= {"outputs": [], "execution_count": None}
    else:  # a page shows HTML in it alive, in a raw cell too
        attached = sanitize.attachments(raw.get("attachments"))
        new["source"] = (
            sanitize.markdown(raw["source"], attached)
            if attached
            else _harmless(raw["source"])
        )
        if attached and raw["cell_type"] == "markdown":
            new["attachments"] = attached
    return new


def _with_ids(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give every cell an id of its own that the notebook format accepts.

    None is the name of a cell of the master, by which nbgrader and the judge know it.
    """
    given = [c for c in cells if "nbgrader" in c["metadata"]]
    taken = {c["id"] for c in given}
    taken |= {c["metadata"]["nbgrader"]["grade_id"] for c in given}
    for number, cell in enumerate(cells):
        if "nbgrader" in cell["metadata"]:
            continue
        name = cell["id"]
        if name in taken or not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
            name = f"own-{number}"
        while name in taken:
            name += "x"
        cell["id"] = name
        taken.add(name)
    return cells
