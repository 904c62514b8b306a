"""The plan of a repair: which cell of a student's file answers which of the assignment.

Everything is decided here, by rules in one order, before `rebuild` writes anything.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from nbproctor.cells import Block, CellText, HandedCell
from nbproctor.notebook import Cell, MasterNotebook


class MasterTexts:
    """What the master notebook says, and what of it students do not write."""

    def __init__(self, master: MasterNotebook) -> None:
        self.master = master
        self.cells = {cell.id: cell for cell in master.cells if cell.nbgrader}
        self.order = {cell.id: rank for rank, cell in enumerate(master.cells)}
        self.stub = {cell.id: CellText.of(cell.stub) for cell in master.cells}
        self.exercises = master.of_kind("solution")
        fixed = [c for c in master.cells if c.locked or not c.nbgrader]
        texts = [CellText.of(text) for c in fixed for text in (c.stub, c.source)]
        self.plain = {text.plain for text in texts}
        words = {CellText.of(text).plain for _, text in master.texts}
        self.fixed = self.plain | words | {""}  # of which nothing is an answer
        blocks = [block for text in texts for block in text.blocks]
        self.codes = {block.code for block in blocks}
        self.names = {name for block in blocks for name in block.binds}
        stubs = [self.stub[cell.id] for cell in self.exercises]
        self.functions = [block for stub in stubs for block in stub.definitions]
        self.signatures = {function.signature for function in self.functions}

    def is_untouched(self, handed: HandedCell, cell: Cell) -> bool:
        """Whether a locked cell is as the student got it, in this release or before."""
        is_same_kind = handed.kind == cell.nbgrader["cell_type"]
        return handed.is_released or (is_same_kind and handed.text.plain in self.plain)

    def is_answered(self, handed: HandedCell, cell: Cell) -> bool:
        """Whether the cell of an exercise says more than its stub."""
        return handed.text.answers(self.stub[cell.id], words=cell.kind == "task")

    def answer_in(self, text: CellText, exercise: Cell) -> set[int]:
        """Return which blocks answer an exercise: with all its functions, or none.

        The last definition counts, as it does in Python.
        """
        stub = self.stub[exercise.id]
        if text.plain in self.plain or not text.mentions(stub):
            return set()
        last = {
            function.signature: index
            for index, block in enumerate(text.blocks)
            for function in stub.to_write
            if block.defines(function) and stub.writes(block)
        }
        return set(last.values()) if len(last) == len(stub.to_write) else set()

    def level(self, handed: HandedCell, exercise: Cell) -> int:
        """Return what a cell has of an exercise: 2 its answer, 1 its functions.

        An example has nothing, nor has the cell of another one that defines the same.
        """
        stub = self.stub[exercise.id]
        is_own = handed.name in (None, exercise.id)
        other = None if is_own else self.stub.get(handed.name or "")
        is_other = other and not stub.signatures.isdisjoint(other.signatures)
        if is_other or handed.text.plain in self.plain:
            return 0
        if self.master.repairs and self.answer_in(handed.text, exercise):
            return 2
        return int(handed.text.defines(stub))

    def is_own(self, block: Block, locked: Cell | None) -> bool:
        """Whether a block is the student's own: no given code, and no stub.

        In a locked cell, it is if it defines what the assignment does not.
        """
        is_stub = block.unwritten and block.signature in self.signatures
        is_new = bool(block.binds) and self.names.isdisjoint(block.binds)
        return block.code not in self.codes and not is_stub and (is_new or not locked)

    def looks_like_answer(self, text: CellText, exercise: Cell) -> bool:
        """Whether a free cell can be the answer of an exercise without a function.

        It binds what is tested; where no test says what that is, any cell may be it.
        """
        stub = self.stub[exercise.id]
        tests = [c for c in self.master.of_kind("test") if c.exercise == exercise.id]
        texts = [CellText.of(test.source) for test in tests]
        used = frozenset().union(*(test.uses - test.names for test in texts))
        tested = used - self.names - vars(builtins).keys()
        fits = not tested or not tested.isdisjoint(text.names)
        return not stub.definitions and (fits or text.plain == stub.plain)


_texts_of = lru_cache(maxsize=8)(MasterTexts)  # the same for a whole class


@dataclass
class Plan:
    """Which cell answers which: a student's cells, by their position."""

    texts: MasterTexts
    cells: list[HandedCell]  # what was merged is cut
    #: Positions of what was cut out of locked cells.
    locked_pieces: set[int] = field(default_factory=set)
    #: Locked cells with code of the student's, and with what may be an answer.
    added: list[str] = field(default_factory=list)
    unclear: list[str] = field(default_factory=list)
    #: Position → the cell of the assignment that it is.
    match: dict[int, Cell] = field(default_factory=dict)

    @property
    def unmatched(self) -> list[Cell]:
        """The cells of the assignment that have no match yet, in its order."""
        matched = {cell.id for cell in self.match.values()}
        return [c for c in self.texts.cells.values() if c.id not in matched]

    @cached_property
    def best(self) -> dict[str, int]:
        """Exercise → the level of the cell that has most of it."""
        level = self.texts.level
        return {
            exercise.id: max((level(c, exercise) for c in self.cells), default=0)
            for exercise in self.texts.exercises
        }


def plan(cells: list[HandedCell], master: MasterNotebook) -> Plan:
    """Decide which cell is which, and where the answers stand."""
    texts = _texts_of(master)
    plan = Plan(texts, cells)
    if master.repairs:
        plan = Plan(texts, [])
        for handed in cells:
            _cut(handed, plan)
    for rule in RULES:
        for position, cell in rule(plan):
            plan.match[position] = cell
    return plan


def _cut(handed: HandedCell, plan: Plan) -> None:
    """Cut a cell of several into its answers, and the student's code between them.

    An answer stands where its last part did. Given code is left out; a locked cell
    itself comes before the rest, or below an answer that it tests.
    """
    texts = plan.texts
    blocks = handed.text.blocks
    cell = texts.cells.get(handed.name or "")
    locked = cell if cell and cell.locked else None
    stub = texts.stub[cell.id] if cell and not locked else CellText("")
    owners = {
        index: handed.name or ""
        for index, block in enumerate(blocks)
        if block.signature in stub.signatures
    }
    for exercise in texts.exercises if handed.kind == "code" else ():
        for index in texts.answer_in(handed.text, exercise):
            owners.setdefault(index, exercise.id)
    others = {*owners.values()} - {handed.name}
    is_mixed = cell or len(others) > 1 or any(b.code in texts.codes for b in blocks)
    is_given = handed.is_released or handed.text.plain in texts.plain
    is_untouched = handed.kind != "code" or is_given
    if is_untouched or not (locked or (others and is_mixed)):
        plan.cells.append(handed)
        return
    if cell and not locked and not stub.definitions:
        for index, block in enumerate(blocks):
            if block.code not in texts.codes:
                owners.setdefault(index, cell.id)
    last = {owner: index for index, owner in sorted(owners.items())}
    parts: dict[str, list[Block]] = {owner: [] for owner in last}
    between = []
    pieces = []
    for index, block in enumerate(blocks):
        owner = owners.get(index)
        if owner is None:
            between += [block] if texts.is_own(block, locked) else []
            continue
        parts[owner].append(block)
        if index == last[owner]:
            name = owner if owner == handed.name else None
            pieces += [_piece(between), _piece(parts[owner], name)]
            between = []
    pieces = [piece for piece in (*pieces, _piece(between)) if piece.text.code]
    if locked:
        _note_changes(
            locked, [b for i, b in enumerate(blocks) if i not in owners], plan
        )
        is_tested = locked.exercise in others
        pieces.insert(len(pieces) if is_tested else 0, handed)
        positions = range(len(plan.cells), len(plan.cells) + len(pieces))
        plan.locked_pieces.update(positions)
    plan.cells += pieces


def _piece(blocks: list[Block], name: str | None = None) -> HandedCell:
    text = "\n".join(block.text for block in blocks)
    return HandedCell("code", "", name, CellText.of(text.strip("\n")))


def _note_changes(locked: Cell, blocks: list[Block], plan: Plan) -> None:
    """Note what else was written into a locked cell."""
    texts = plan.texts
    new = [block for block in blocks if block.code and block.code not in texts.codes]
    if any(texts.is_own(block, locked) for block in new):
        plan.added.append(locked.id)
    others = [block for block in new if not texts.is_own(block, locked)]
    if any(texts.names.isdisjoint(block.binds) for block in others):
        plan.unclear.append(locked.id)


# ---- which cell is which -------------------------------------------------------------


def _by_mark(plan: Plan) -> Iterator[tuple[int, Cell]]:
    """Match cells by ``grade_id``, by the notebook format's cell id, or by given text.

    A cell that has the text of another cell, or less of the exercise than another one,
    has its metadata from another cell, or is only the stub of an answer elsewhere.
    """
    texts = plan.texts
    cells = texts.cells.values()
    by_id = {cell.cell_id: cell for cell in cells}
    by_text: dict[str, list[Cell]] = {}
    for cell in cells:
        if cell.locked:
            by_text.setdefault(texts.stub[cell.id].plain, []).append(cell)
    by_text[""] = []
    claims: dict[str, list[int]] = {}
    for position, handed in enumerate(plan.cells):
        named = texts.cells.get(handed.name or "")
        owners = by_text.get(handed.text.plain, [])
        open_owners = [owner for owner in owners if owner.id not in claims]
        claimed = [named, by_id.get(handed.id), *(open_owners or owners)[:1]]
        for cell in filter(None, claimed):
            same = not owners or texts.stub[cell.id].plain == handed.text.plain
            if same and texts.level(handed, cell) == plan.best.get(cell.id, 0):
                claims.setdefault(cell.id, []).append(position)
                break
    for name, positions in claims.items():
        yield _graded_copy(positions, texts.cells[name], plan), texts.cells[name]


def _by_definition(plan: Plan) -> Iterator[tuple[int, Cell]]:
    """Match exercises with the cells that have most of them; of locked ones last."""
    texts = plan.texts
    for cell in reversed(plan.unmatched):  # of two that define the same, the last one
        level = plan.best.get(cell.id, 0)
        positions = [
            position
            for position, handed in enumerate(plan.cells)
            if position not in plan.match
            and level
            and texts.level(handed, cell) == level
        ]
        free = [p for p in positions if p not in plan.locked_pieces]
        if positions:
            yield _graded_copy(free or positions, cell, plan), cell


def _by_place(plan: Plan) -> Iterator[tuple[int, Cell]]:
    """Match exercises without functions with free cells between their neighbours.

    Of several that look like an answer, the longest is taken.
    """
    # Given cells may be those of last week's assignment: no guess stands on them alone.
    if not any(c.kind in ("solution", "task", "test") for c in plan.match.values()):
        return
    for cell in plan.unmatched:
        if cell.kind in ("solution", "task"):
            free = _free_cells(cell, plan)
            if free:
                yield max(free, key=lambda p: len(plan.cells[p].text.plain)), cell


RULES: tuple[Callable[[Plan], Iterator[tuple[int, Cell]]], ...] = (
    _by_mark,
    _by_definition,
    _by_place,
)


def _graded_copy(positions: list[int], cell: Cell, plan: Plan) -> int:
    """Of several copies of a cell, return the last one that was worked on.

    It is the one that Python uses; an untouched copy below it is an accident. A locked
    cell is put back as given anyway: one with its name is as good as any.
    """
    if cell.locked:
        return min(positions, key=lambda position: plan.cells[position].name != cell.id)
    worked = [p for p in positions if plan.texts.is_answered(plan.cells[p], cell)]
    return (worked or positions)[-1]


def _free_cells(cell: Cell, plan: Plan) -> list[int]:
    """Return what looks like an answer between the neighbours of its own cell."""
    texts = plan.texts
    ranks = {p: texts.order[c.id] for p, c in plan.match.items()}
    rank = texts.order[cell.id]
    low = max((p for p, other in ranks.items() if other < rank), default=-1)
    high = min((p for p, other in ranks.items() if other > rank), default=None)
    return [
        position
        for position, handed in list(enumerate(plan.cells))[low + 1 : high]
        if position not in plan.match
        and handed.kind == cell.nbgrader["cell_type"]
        and handed.text.plain not in texts.fixed
        and texts.looks_like_answer(handed.text, cell)
    ]
