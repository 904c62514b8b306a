"""Match the cells of a student's notebook with the cells of the assignment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from nbproctor.notebook import Cell, MasterNotebook
from nbproctor.submission.answers import (
    Match,
    defines,
    mentioned,
    plain,
    signatures,
    unanswered,
)
from nbproctor.submission.blocks import blocks, code_of
from nbproctor.submission.read import RawCell
from nbproctor.submission.scan import open_at_the_end

MAX_GUESSES = 50  # cells that are compared, word by word, with a lost one
MAX_WORDS = 1_000
MAX_HALF = 20_000  # characters of a cell that may have been split
ALIKE = 0.3  # of their words, for a guess among several


def join_split_cells(
    cells: list[RawCell], master: MasterNotebook
) -> tuple[list[RawCell], int]:
    """Put cells together again that were split in the middle of a statement.

    Returns
    -------
    cells : list of dict
        The cells; those that were split hold the text of both halves.
    joined : int
        How many cells were appended to the one above.
    """
    locked = {plain(cell.stub) for cell in master.cells if cell.locked}
    joined: list[RawCell] = []
    for raw in cells:
        above = joined[-1] if joined else None
        if (
            above
            and raw["cell_type"] == above["cell_type"] == "code"
            and raw["grade_id"] in (None, above["grade_id"])
            and plain(raw["source"]) not in locked
            and _continues(above["source"], raw["source"])
        ):
            text = above["source"].rstrip("\n") + "\n" + raw["source"]
            joined[-1] = above | {"source": text}
        else:
            joined.append(raw)
    return joined, len(cells) - len(joined)


def _continues(above: str, below: str) -> bool:
    """Whether a cell goes on with a statement of the cell above it."""
    lines = [line for line in below.split("\n") if line.strip()]
    if not lines or not above.strip() or len(above) > MAX_HALF:
        return False
    if open_at_the_end(above):
        return True
    if not lines[0][0].isspace():
        return False
    code = code_of(above)
    last = above.rstrip().rpartition("\n")[2]
    # A header (and its docstring) without a body, or the rest of a body.
    no_body = bool(code) and code[-1].endswith(":")
    return no_body or (last[:1].isspace() and "return" in below)


def match_cells(cells: list[RawCell], master: MasterNotebook) -> Match:
    """Find out which cell is which: by grade_id, cell id, text, then position."""
    match: Match = {}
    open_cells = {cell.id: cell for cell in master.cells if cell.nbgrader}
    by_name = dict(open_cells)
    texts = [plain(raw["source"]) for raw in cells]

    def settle(position: int, cell: Cell) -> None:
        match[position] = cell
        open_cells.pop(cell.id, None)

    for name, positions in _claims(cells, texts, by_name).items():
        settle(_graded_copy(positions, cells, by_name[name]), by_name[name])
    by_id = {cell.cell_id: cell for cell in by_name.values()}
    for position, raw in enumerate(cells):
        cell = by_id.get(raw["id"])
        if position not in match and cell and cell.id in open_cells:
            settle(position, cell)
    # Cells of the same text are told apart by their order.
    same: dict[str, list[Cell]] = {}
    for cell in open_cells.values():
        if cell.locked and plain(cell.stub):
            same.setdefault(plain(cell.stub), []).append(cell)
    for position, text in enumerate(texts):
        alike = same.get(text, [])
        if position not in match and alike:
            settle(position, alike.pop(0))
    _match_definitions(cells, match, list(open_cells.values()), settle)
    # Given cells may be those of last week's assignment: no guess stands on them alone.
    known = any(cell.kind in ("solution", "task", "test") for cell in match.values())
    for cell in list(open_cells.values()):
        if known and cell.kind in ("solution", "task"):
            gap = _gap(cell, match, cells, texts, master)
            if gap:
                settle(max(gap, key=lambda p: _likeness(cells[p], cell)), cell)
    return match


def _match_definitions(
    cells: list[RawCell],
    match: Match,
    lost: list[Cell],
    settle: Callable[[int, Cell], None],
) -> None:
    """Match exercises with the cells that define their functions."""
    defined: dict[int, frozenset[str]] = {}
    for cell in lost:
        wanted = signatures(cell.stub)
        positions = []
        for position, raw in enumerate(cells):
            if position in match or not mentioned(cell, raw["source"]):
                continue
            if position not in defined:
                names = (block.signature for block in blocks(raw["source"]))
                defined[position] = frozenset(names)
            if wanted <= defined[position]:
                positions.append(position)
        if cell.kind == "solution" and positions:
            settle(_graded_copy(positions, cells, cell), cell)


def _claims(
    cells: list[RawCell], texts: list[str], names: dict[str, Cell]
) -> dict[str, list[int]]:
    """Return the cells that have the name of a cell of the master, and can be it.

    A cell that has the text of another cell, or an answer without the name of its
    function, has its metadata from another cell.
    """
    given = {plain(cell.stub): cell.id for cell in names.values() if cell.locked}
    claims: dict[str, list[int]] = {}
    somewhere: dict[str, bool] = {}
    for position, raw in enumerate(cells):
        cell = names.get(raw["grade_id"] or "")
        if cell is None:
            continue
        text = texts[position]
        foreign = text and given.get(text, cell.id) != cell.id
        strange = signatures(cell.stub) and not defines(cell, raw["source"])
        if foreign and plain(names[given[text]].stub) != plain(cell.stub):
            continue
        if text and strange:
            if cell.id not in somewhere:
                defined = (defines(cell, other["source"]) for other in cells)
                somewhere[cell.id] = any(defined)
            if somewhere[cell.id]:
                continue
        claims.setdefault(cell.id, []).append(position)
    return claims


def _graded_copy(positions: list[int], cells: list[RawCell], cell: Cell) -> int:
    """Of several copies of a cell, return the last one that was worked on.

    The last definition is the one Python uses, and the one nbgrader grades; an
    untouched copy further down is an accident that must not undo the answer, and a
    cell that defines nothing (the lower half of a split one) is none. A locked cell
    is put back as given anyway: the first place is as good as any.
    """
    if cell.locked or len(positions) == 1:
        return positions[0]
    worked = [p for p in positions if not unanswered(cells[p]["source"], cell)]
    wanted = signatures(cell.stub)
    whole = [
        p
        for p in worked
        if wanted <= {block.signature for block in blocks(cells[p]["source"])}
    ]
    return (whole or worked or positions)[-1]


def _gap(
    cell: Cell,
    match: Match,
    cells: list[RawCell],
    texts: list[str],
    master: MasterNotebook,
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
        and texts[p]
        and taken.isdisjoint((cells[p]["id"], texts[p]))
    ][:MAX_GUESSES]
    if len(free) == 1:
        return free
    return [p for p in free if _likeness(cells[p], cell) > ALIKE]


def _likeness(raw: RawCell, cell: Cell) -> float:
    """Return the share of words that two cells have in common, from 0 to 1."""
    left, right = (
        Counter(text[: 10 * MAX_WORDS].split()[:MAX_WORDS])
        for text in (raw["source"], cell.stub)
    )
    total = left.total() + right.total()
    return 2 * (left & right).total() / total if total else 0.0
