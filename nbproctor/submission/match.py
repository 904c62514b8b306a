"""Which cell of a student's notebook is which cell of the assignment."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from nbproctor.notebook import Cell, MasterNotebook
from nbproctor.submission.read import RawCell

Match = dict[int, Cell]  # position in the student's notebook → cell of the master
MAX_GUESSES = 50  # cells that are compared, word by word, with a lost one


def match_cells(cells: list[RawCell], master: MasterNotebook) -> Match:
    """Find out which cell is which: by grade_id, cell id, text, then position."""
    match: Match = {}
    open_cells = {cell.id: cell for cell in master.cells if cell.nbgrader}
    known = dict(open_cells)

    def settle(position: int, cell: Cell) -> None:
        match[position] = cell
        open_cells.pop(cell.id, None)

    for name, positions in _claims(cells, known).items():
        settle(_graded_copy(positions, cells, known[name]), known[name])
    by_id = {cell.cell_id: cell for cell in known.values()}
    for position, raw in enumerate(cells):
        found = by_id.get(raw["id"])
        if position not in match and found and found.id in open_cells:
            settle(position, found)
    # Cells of the same text are told apart by their order.
    texts: dict[str, list[Cell]] = {}
    for cell in open_cells.values():
        if cell.locked and plain(cell.stub):
            texts.setdefault(plain(cell.stub), []).append(cell)
    for position, raw in enumerate(cells):
        alike = texts.get(plain(raw["source"]), [])
        if position not in match and alike:
            settle(position, alike.pop(0))
    defined = [_signature(raw["source"]) for raw in cells]
    for cell in list(open_cells.values()):
        wanted = _signature(cell.stub)
        positions = [
            position
            for position, names in enumerate(defined)
            if position not in match and wanted and wanted <= names
        ]
        if cell.kind == "solution" and positions:
            settle(_graded_copy(positions, cells, cell), cell)
    for cell in list(open_cells.values()):
        if match and cell.kind in ("solution", "task"):
            gap = _gap(cell, match, cells, master)
            if gap:
                settle(max(gap, key=lambda p: _likeness(cells[p], cell)), cell)
    return match


def answer_places(
    cells: list[RawCell], match: Match, master: MasterNotebook
) -> dict[str, int]:
    """Return where the answer of each exercise stands.

    That is its own cell, or, where that is lost, the last other cell of the student
    that defines the same functions: people merge cells.
    """
    places = {cell.id: p for p, cell in match.items() if cell.kind == "solution"}
    defined = [_signature(raw["source"]) for raw in cells]
    for cell in master.of_kind("solution"):
        wanted = _signature(cell.stub)
        holders = [
            position
            for position, names in enumerate(defined)
            if (position not in match or match[position].kind == "solution")
            and wanted <= names
        ]
        if cell.id not in places and wanted and holders:
            places[cell.id] = holders[-1]
    return places


def _claims(cells: list[RawCell], known: dict[str, Cell]) -> dict[str, list[int]]:
    claims: dict[str, list[int]] = {}
    for position, raw in enumerate(cells):
        if raw["grade_id"] in known:
            claims.setdefault(raw["grade_id"], []).append(position)
    return claims


def _graded_copy(positions: list[int], cells: list[RawCell], cell: Cell) -> int:
    """Of several copies of a cell, return the last one that was worked on.

    The last definition is the one Python uses, and the one nbgrader grades; an
    untouched copy further down is an accident that must not undo the answer. A
    locked cell is put back as given anyway: the first place is as good as any.
    """
    if cell.locked:
        return positions[0]
    worked = [p for p in positions if plain(cells[p]["source"]) != plain(cell.stub)]
    return (worked or positions)[-1]


def _gap(
    cell: Cell, match: Match, cells: list[RawCell], master: MasterNotebook
) -> list[int]:
    """Return the free cells between the neighbours that `cell` has in the source."""
    order = {c.id: i for i, c in enumerate(master.cells)}
    here = order[cell.id]
    before = [p for p, c in match.items() if order[c.id] < here]
    after = [p for p, c in match.items() if order[c.id] > here]
    low, high = max(before, default=-1), min(after, default=len(cells))
    demos = [c for c in master.cells if not c.nbgrader]
    taken = {c.cell_id for c in demos} | {plain(c.stub) for c in demos}
    free = [
        p
        for p in range(low + 1, high)
        if p not in match
        and cells[p]["cell_type"] == cell.nbgrader["cell_type"]
        and cells[p]["source"].strip()
        and taken.isdisjoint((cells[p]["id"], plain(cells[p]["source"])))
    ][:MAX_GUESSES]
    return (
        free if len(free) == 1 else [p for p in free if _likeness(cells[p], cell) > 0.3]
    )


def _likeness(raw: RawCell, cell: Cell) -> float:
    left, right = (text[:5_000].split() for text in (raw["source"], cell.stub))
    return SequenceMatcher(None, left, right, autojunk=False).ratio()


def plain(text: str) -> str:
    """Return `text` without indentation and empty lines, to compare cells by."""
    return "\n".join(line.strip() for line in text.split("\n") if line.strip())


_HEADER = re.compile(r"(?:async )?(?:def|class)\s+(\w+)")


def _signature(source: str) -> frozenset[str]:
    """Return the top-level functions and classes, each with its decorators."""
    found = set()
    decorators = ""
    for line in source.split("\n"):
        if line.startswith("@"):
            decorators += "".join(line.split())
            continue
        if header := _HEADER.match(line):
            found.add(decorators + header[1])
        decorators = ""
    return frozenset(found)
