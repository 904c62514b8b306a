"""The plan of a repair: which cell of a student's file answers which of the assignment.

Everything is decided here, by rules in one order, before `rebuild` writes anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache

from nbproctor.cells import Block, CellText, HandedCell
from nbproctor.notebook import Cell, MasterNotebook

MAX_GUESSES = 50  # cells that are compared, word by word, with a lost one
MAX_WORDS = 1_000
MAX_PIECES = 8  # into which a cell may have been split
MAX_CHARS = 20_000  # of such a cell
ALIKE = 0.3  # of their words, for a guess among several


class Given:
    """What the assignment says, and what of it students do not write."""

    def __init__(self, master: MasterNotebook) -> None:
        self.master = master
        self.cells = {cell.id: cell for cell in master.cells if cell.nbgrader}
        self.order = {cell.id: rank for rank, cell in enumerate(master.cells)}
        self.stub = {cell.id: CellText.of(cell.stub) for cell in master.cells}
        texts = {c.id: (self.stub[c.id], CellText.of(c.source)) for c in master.cells}
        self.plain = {name: {t.plain for t in pair} for name, pair in texts.items()}
        fixed = [c for c in master.cells if c.locked or not c.nbgrader]
        parts = [b for c in fixed for text in texts[c.id] for b in text.blocks]
        self.codes = {block.code for block in parts}
        self.names = {name for block in parts for name in block.binds}
        self.classes = {block.name: block for block in parts if block.is_class}
        stubs = [self.stub[cell.id] for cell in master.of_kind("solution")]
        self.signatures = {name for stub in stubs for name in stub.signatures}

    def is_untouched(self, handed: HandedCell, cell: Cell) -> bool:
        """Whether a locked cell is as the student got it."""
        same = handed.text.plain in self.plain[cell.id]
        return same and handed.kind == cell.nbgrader["cell_type"]

    def is_answered(self, handed: HandedCell, cell: Cell) -> bool:
        """Whether the cell of an exercise says more than its stub."""
        return handed.text.answers(self.stub[cell.id], words=cell.kind == "task")

    def is_added(self, block: Block) -> bool:
        """Whether a block defines what the assignment does not: it can be kept."""
        free = block.binds and self.names.isdisjoint(block.binds)
        return bool(free) and block.signature not in self.signatures


_given = lru_cache(maxsize=8)(Given)  # the same for a whole class


@dataclass(frozen=True)
class Find:
    """An answer outside its own cell: where, which blocks it is, and its text."""

    position: int
    used: frozenset[int]
    text: str


@dataclass
class Plan:
    """Which cell answers which: the cells handed in, by their position."""

    given: Given
    cells: list[HandedCell]  # cells that were split are whole again
    joined: int = 0  # how many were appended to the one above for that
    #: Position → the cell of the assignment that it is.
    match: dict[int, Cell] = field(default_factory=dict)
    #: Exercises whose own cell is gone, or says nothing but its stub.
    lacking: list[Cell] = field(default_factory=list)
    #: Exercise → its answer, where that stands in another cell.
    finds: dict[str, Find] = field(default_factory=dict)

    @property
    def lost(self) -> list[Cell]:
        """The cells of the assignment that are not found yet, in its order."""
        taken = {cell.id for cell in self.match.values()}
        return [c for c in self.given.cells.values() if c.id not in taken]

    def answers_in(self, position: int) -> list[tuple[Cell, Find]]:
        """Return the exercises whose answers stand in a cell that is not their own."""
        finds = [(c, self.finds[c.id]) for c in self.lacking if c.id in self.finds]
        return [(cell, find) for cell, find in finds if find.position == position]

    def added_to(self, position: int) -> list[Block]:
        """Return what a cell has beside its answers and the assignment's own code."""
        used = {i for _, find in self.answers_in(position) for i in find.used}
        return [
            block
            for index, block in enumerate(self.cells[position].text.blocks)
            if block.code and index not in used and block.code not in self.given.codes
        ]


def plan(cells: list[HandedCell], master: MasterNotebook) -> Plan:
    """Decide which cell is which, and where the answers stand."""
    given = _given(master)
    whole = list(_joined(cells, given)) if master.repairs else cells
    made = Plan(given, whole, len(cells) - len(whole))
    for rule in RULES:
        for position, cell in rule(made):
            made.match[position] = cell
    position_of = {cell.id: position for position, cell in made.match.items()}
    made.lacking = [
        cell
        for cell in master.of_kind("solution")
        if cell.id not in position_of
        or not given.is_answered(whole[position_of[cell.id]], cell)
    ]
    if master.repairs:
        _find_in_cells(made)
    return made


def _joined(cells: list[HandedCell], given: Given) -> Iterator[HandedCell]:
    """Put cells together again that were split in the middle of a statement."""
    locked = {given.stub[c.id].plain for c in given.master.cells if c.locked}
    at = 0
    while at < len(cells):
        count, whole = _pieces(cells[at : at + MAX_PIECES], locked)
        yield cells[at] if count == 1 else replace(cells[at], text=whole)
        at += count


def _pieces(cells: list[HandedCell], locked: set[str]) -> tuple[int, CellText]:
    """Return how many of these cells are pieces of one, and its text."""
    # One of them does not compile alone, and all do together.
    first, *below = cells
    count, whole, text = 1, first.text, first.text.text
    given = not whole.plain or whole.plain in locked
    if first.kind != "code" or given or whole.is_cell_magic:
        return count, whole
    for number, cell in enumerate(below, 2):
        is_other = cell.kind != "code" or cell.name not in (None, first.name)
        if is_other or not cell.text.plain or cell.text.plain in locked:
            break  # a given cell is whole
        text = text.rstrip("\n") + "\n" + cell.text.text
        if len(text) > MAX_CHARS or (whole.tree and not cell.text.continues):
            break
        # Below a header, and what follows it, a whole line may still belong to it.
        body = count > 1 or (whole.code and whole.code[-1].endswith(":"))
        together = CellText(text)
        pieces = body or not (whole.compiles and cell.text.compiles)
        if pieces and together.compiles:
            count, whole = number, together
        elif whole.tree:
            break
    return count, whole


# ---- which cell is which -------------------------------------------------------------


def _by_name(plan: Plan) -> Iterator[tuple[int, Cell]]:
    """Match cells that have the ``grade_id`` of a cell of the assignment.

    A cell that has the text of another cell, or an answer without the name of its
    function, has its metadata from another cell.
    """
    given = plan.given
    fixed = {given.stub[c.id].plain: c for c in given.cells.values() if c.locked}
    claims: dict[str, list[int]] = {}
    somewhere: dict[str, bool] = {}
    for position, handed in enumerate(plan.cells):
        cell = given.cells.get(handed.name or "")
        if cell is None:
            continue
        stub, text = given.stub[cell.id], handed.text
        owner = fixed.get(text.plain, cell) if text.plain else cell
        if given.stub[owner.id].plain != stub.plain:
            continue
        if text.plain and stub.signatures and not text.defines(stub):
            if cell.id not in somewhere:
                defined = (other.text.defines(stub) for other in plan.cells)
                somewhere[cell.id] = any(defined)
            if somewhere[cell.id]:
                continue
        claims.setdefault(cell.id, []).append(position)
    for name, positions in claims.items():
        yield _graded_copy(positions, given.cells[name], plan), given.cells[name]


def _by_id(plan: Plan) -> Iterator[tuple[int, Cell]]:
    """Match cells by the notebook format's cell id."""
    by_id = {cell.cell_id: cell for cell in plan.given.cells.values()}
    lost = {cell.id for cell in plan.lost}
    for position, handed in enumerate(plan.cells):
        cell = by_id.get(handed.id)
        if position not in plan.match and cell and cell.id in lost:
            lost.remove(cell.id)
            yield position, cell


def _by_text(plan: Plan) -> Iterator[tuple[int, Cell]]:
    """Match given cells by their text; those of the same text by their order."""
    same: dict[str, list[Cell]] = {}
    for cell in plan.lost:
        if cell.locked and plan.given.stub[cell.id].plain:
            same.setdefault(plan.given.stub[cell.id].plain, []).append(cell)
    for position, handed in enumerate(plan.cells):
        alike = same.get(handed.text.plain)
        if position not in plan.match and alike:
            yield position, alike.pop(0)


def _by_definition(plan: Plan) -> Iterator[tuple[int, Cell]]:
    """Match exercises with the cells that define their functions."""
    for cell in plan.lost:
        stub = plan.given.stub[cell.id]
        positions = [
            position
            for position, handed in enumerate(plan.cells)
            if position not in plan.match
            and handed.text.mentions(stub)
            and stub.signatures <= handed.text.signatures
        ]
        if cell.kind == "solution" and positions:
            yield _graded_copy(positions, cell, plan), cell


def _by_place(plan: Plan) -> Iterator[tuple[int, Cell]]:
    """Match exercises with the free cells between their neighbours in the source."""
    # Given cells may be those of last week's assignment: no guess stands on them alone.
    if not any(c.kind in ("solution", "task", "test") for c in plan.match.values()):
        return
    for cell in plan.lost:
        if cell.kind in ("solution", "task"):
            free = _free_cells(cell, plan)
            stub = plan.given.stub[cell.id]
            likeness = {p: _likeness(plan.cells[p].text, stub) for p in free}
            if len(free) > 1:
                free = [p for p in free if likeness[p] > ALIKE]
            if free:
                yield max(free, key=likeness.__getitem__), cell


RULES: tuple[Callable[[Plan], Iterator[tuple[int, Cell]]], ...] = (
    _by_name,
    _by_id,
    _by_text,
    _by_definition,
    _by_place,
)


def _graded_copy(positions: list[int], cell: Cell, plan: Plan) -> int:
    """Of several copies of a cell, return the last one that was worked on.

    It is the one that Python uses; an untouched copy below it is an accident. A locked
    cell is put back as given anyway: the first place is as good as any.
    """
    if cell.locked:
        return positions[0]
    worked = [p for p in positions if plan.given.is_answered(plan.cells[p], cell)]
    return (worked or positions)[-1]


def _free_cells(cell: Cell, plan: Plan) -> list[int]:
    """Return the free cells between the neighbours that `cell` has in the source."""
    given = plan.given
    ranks = {p: given.order[c.id] for p, c in plan.match.items()}
    here = given.order[cell.id]
    low = max((p for p, rank in ranks.items() if rank < here), default=-1)
    high = min((p for p, rank in ranks.items() if rank > here), default=len(plan.cells))
    demos = [c for c in given.master.cells if not c.nbgrader]
    taken = {c.cell_id for c in demos} | {given.stub[c.id].plain for c in demos}
    return [
        position
        for position in range(low + 1, high)
        if position not in plan.match
        and (handed := plan.cells[position]).kind == cell.nbgrader["cell_type"]
        and handed.text.plain
        and taken.isdisjoint((handed.id, handed.text.plain))
    ][:MAX_GUESSES]


def _likeness(one: CellText, other: CellText) -> float:
    """Return the share of words that two cells have in common, from 0 to 1."""
    left, right = (
        Counter(each.text[: 10 * MAX_WORDS].split()[:MAX_WORDS])
        for each in (one, other)
    )
    total = left.total() + right.total()
    return 2 * (left & right).total() / total if total else 0.0


# ---- answers outside their own cells -------------------------------------------------


def _find_in_cells(plan: Plan) -> None:
    """Look for answers in the student's own cells, then in locked ones.

    Not in what the assignment itself says, such as an example of the same name. The
    last definition counts, as it does in Python.
    """
    given, finds = plan.given, plan.finds
    others = (c.id for c in given.master.cells if c.kind != "solution")
    said = {text for name in others for text in given.plain[name]}
    own: list[int] = []
    locked: list[int] = []
    for position, handed in enumerate(plan.cells):
        cell = plan.match.get(position)
        if handed.text.plain not in said:
            (locked if cell and cell.locked else own).append(position)
    for places in (own, locked):
        open_ = [cell for cell in plan.lacking if cell.id not in finds]
        for position in places:
            for cell in open_:
                if find := _find(
                    position, plan.cells[position].text, given.stub[cell.id]
                ):
                    finds[cell.id] = find


def _find(position: int, text: CellText, stub: CellText) -> Find | None:
    """Look for every function of a stub among the blocks of one cell."""
    if not text.mentions(stub):
        return None
    used, texts = set(), []
    for wanted in stub.definitions:
        for index, block in reversed(list(enumerate(text.blocks))):
            if block.defines(wanted) and stub.writes(block):
                texts.append(block.text)
                used.add(index)
                break
            if method := _method(block, wanted):
                texts.append(method)
                break
        else:
            return None
    return Find(position, frozenset(used), "\n\n".join(t.strip("\n") for t in texts))


def _method(block: Block, wanted: Block) -> str | None:
    """Return a method of a class as the function that the stub attaches to it."""
    if not block.is_class or f"({block.name})" not in "".join(wanted.decorators):
        return None
    for method in reversed(block.methods):
        if method.name == wanted.name and not method.unwritten:
            if method.code[len(method.decorators) :] == wanted.code[1:]:
                return None
            return "\n".join([*wanted.decorators, method.text.strip("\n")])
    return None
