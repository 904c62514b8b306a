"""The plan of a repair: which cell of a student's file answers which of the assignment.

Everything is decided here, by rules in one order, before `rebuild` writes anything.
"""

from __future__ import annotations

import builtins
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import takewhile

from nbproctor.cells import Block, CellText, SubmittedCell
from nbproctor.notebook import Cell, MasterNotebook


def stub_of(cell: Cell) -> CellText:
    """Return what students are given of a cell."""
    return CellText.parse(cell.stub)


class MasterTexts:
    """What the master notebook says, and what of it students do not write."""

    def __init__(self, master: MasterNotebook) -> None:
        self.master = master
        self.cells = {cell.id: cell for cell in master.cells if cell.nbgrader}
        self.order = {cell.id: rank for rank, cell in enumerate(master.cells)}
        self.exercises = master.of_kind("solution")
        self.given_texts = set[str]()
        self.given_code = set[tuple[str, ...]]()
        self.names = set[str]()
        for cell in master.cells:
            if cell.nbgrader and not cell.locked:
                continue
            for text in (stub_of(cell), CellText.parse(cell.source)):
                self.given_texts.add(text.plain)
                self.given_code.update(text.codes)
                self.names.update(text.binds)
        words = {CellText.parse(text).plain for _, text in master.texts}
        # Of which nothing is an answer.
        self.non_answers = self.given_texts | words | {""}
        self.signatures = set[str]()
        for exercise in self.exercises:
            self.signatures.update(stub_of(exercise).signatures)

    def is_untouched(self, handed: SubmittedCell, cell: Cell) -> bool:
        """Whether a locked cell is as the student got it, in this release or before."""
        if handed.is_released:
            return True
        is_same_kind = handed.kind == cell.nbgrader["cell_type"]
        return is_same_kind and handed.text.plain in self.given_texts

    def is_answered(self, handed: SubmittedCell, cell: Cell) -> bool:
        """Whether the cell of an exercise says more than its stub."""
        return handed.text.answers(stub_of(cell), words=cell.kind == "task")

    def answer_in(self, text: CellText, exercise: Cell) -> set[int]:
        """Return which blocks answer an exercise: with all its functions, or none.

        The last definition counts, as it does in Python. A text that students are given
        is no answer: this is asked of other texts only.
        """
        stub = stub_of(exercise)
        functions = stub.functions_to_write
        last = {}
        for index, block in enumerate(text.blocks):
            for function in functions:
                if block.defines(function) and stub.writes(block):
                    last[function.signature] = index
        if len(last) < len(functions):
            return set()
        return set(last.values())

    def level(self, handed: SubmittedCell, exercise: Cell) -> int:
        """Return what a cell has of an exercise: 2 its answer, 1 its functions.

        An example has nothing, nor has the cell of another one that defines the same.
        """
        stub = stub_of(exercise)
        if handed.text.plain in self.given_texts:
            return 0
        if handed.name not in ("", exercise.id):
            other = self.cells.get(handed.name)
            if other and not stub.signatures.isdisjoint(stub_of(other).signatures):
                return 0
        if self.master.repairs and self.answer_in(handed.text, exercise):
            return 2
        return int(handed.text.defines(stub))

    def is_student_code(self, block: Block, locked: Cell | None) -> bool:
        """Whether a block is the student's own: no given code, and no stub.

        In a locked cell, it is if it defines what the assignment does not.
        """
        if block.code in self.given_code:
            return False
        if block.is_unwritten and block.signature in self.signatures:
            return False
        if not locked:
            return True
        return bool(block.binds) and self.names.isdisjoint(block.binds)

    def looks_like_answer(self, text: CellText, exercise: Cell) -> bool:
        """Whether a free cell can be the answer of an exercise without a function.

        It binds what is tested; where no test says what that is, any cell may be it.
        """
        stub = stub_of(exercise)
        if stub.definitions:
            return False
        if text.plain == stub.plain:
            return True
        used = set[str]()
        for cell in self.master.of_kind("test"):
            if cell.exercise == exercise.id:
                test = CellText.parse(cell.source)
                used |= test.uses - test.names
        tested = used - self.names - vars(builtins).keys()
        return not tested or not tested.isdisjoint(text.names)


_texts_of = lru_cache(maxsize=8)(MasterTexts)  # the same for a whole class


@dataclass(eq=False)
class PlannedCell:
    """A cell of the gradable notebook: what fills it, and which cell of the master."""

    handed: SubmittedCell
    cell: Cell | None = None  # of the assignment; None for the student's own
    is_locked_piece: bool = False  # whether it was cut out of a locked cell


Changes = defaultdict[str, list[str]]


@dataclass
class Plan:
    """Which cell answers which."""

    texts: MasterTexts
    entries: list[PlannedCell] = field(default_factory=list)  # what was merged is cut
    #: Kind of change → the cells that it was made to. Here: the locked cells with code
    #: of the student's, and those with what may be an answer.
    changes: Changes = field(default_factory=lambda: defaultdict(list))

    @property
    def matched(self) -> list[tuple[SubmittedCell, Cell]]:
        """The cells of the assignment that were found, and what the student has."""
        return [(entry.handed, entry.cell) for entry in self.entries if entry.cell]

    @property
    def unmatched(self) -> list[Cell]:
        """The cells of the assignment that have no match yet, in its order."""
        matched = {cell.id for _, cell in self.matched}
        return [c for c in self.texts.cells.values() if c.id not in matched]

    @cached_property
    def best(self) -> dict[str, int]:
        """Exercise → the level of the cell that has most of it."""
        texts = self.texts
        best = {}
        for exercise in texts.exercises:
            levels = [texts.level(entry.handed, exercise) for entry in self.entries]
            best[exercise.id] = max(levels, default=0)
        return best


def make_plan(cells: list[SubmittedCell], master: MasterNotebook) -> Plan:
    """Decide which cell is which, and where the answers stand."""
    plan = Plan(_texts_of(master))
    for handed in cells:
        pieces = _cut(handed, plan) if master.repairs else [PlannedCell(handed)]
        plan.entries += pieces
    for rule in (_match_by_id, _by_definition, _by_place):
        for entry, cell in rule(plan):
            entry.cell = cell
    return plan


def _cut(handed: SubmittedCell, plan: Plan) -> list[PlannedCell]:
    """Cut a cell of several into its answers, and the student's code between them.

    An answer stands where its last part did. Given code is left out; a locked cell
    itself comes before the rest, or below an answer that it tests.
    """
    texts = plan.texts
    is_given = handed.is_released or handed.text.plain in texts.given_texts
    if is_given or handed.kind != "code":
        return [PlannedCell(handed)]
    blocks = handed.text.blocks
    cell = texts.cells.get(handed.name)
    locked = cell if cell and cell.locked else None
    answered = None if locked else cell
    stub = stub_of(answered) if answered else CellText("")
    owners = {}
    for index, block in enumerate(blocks):
        if block.signature in stub.signatures:
            owners[index] = handed.name
    for exercise in texts.exercises:
        for index in texts.answer_in(handed.text, exercise):
            owners.setdefault(index, exercise.id)
    others = set(owners.values()) - {handed.name}
    has_given_code = any(block.code in texts.given_code for block in blocks)
    is_mixed = others and (cell or len(others) > 1 or has_given_code)
    if not locked and not is_mixed:
        return [PlannedCell(handed)]
    if answered and not stub.definitions:
        for index, block in enumerate(blocks):
            if block.code not in texts.given_code:
                owners.setdefault(index, answered.id)
    last = {owner: index for index, owner in sorted(owners.items())}
    parts = defaultdict(list)  # by owner; "" for the student's own
    pieces = []
    for index, block in enumerate(blocks):
        owner = owners.get(index, "")
        if owner or texts.is_student_code(block, locked):
            parts[owner].append(block)
        if owner and index == last[owner]:
            name = owner if owner == handed.name else ""
            pieces += [_piece(parts.pop("", [])), _piece(parts[owner], name)]
    pieces.append(_piece(parts[""]))
    if locked:
        unowned = [block for i, block in enumerate(blocks) if i not in owners]
        _note_changes(locked, unowned, plan)
        is_tested = locked.exercise in others
        pieces.insert(len(pieces) if is_tested else 0, handed)
    return [
        PlannedCell(piece, is_locked_piece=locked is not None)
        for piece in pieces
        if piece is handed or piece.text.code
    ]


def _piece(blocks: list[Block], name: str = "") -> SubmittedCell:
    text = joined(blocks).strip("\n")
    return SubmittedCell(CellText.parse(text), name=name)


def joined(blocks: Iterable[Block]) -> str:
    """Return the text of blocks."""
    return "\n".join(block.text for block in blocks)


def _note_changes(
    locked: Cell,
    blocks: list[Block],
    plan: Plan,
) -> None:
    """Note what else was written into a locked cell."""
    texts = plan.texts
    for block in blocks:
        if not block.code or block.code in texts.given_code:
            continue
        if texts.is_student_code(block, locked):
            plan.changes["added"].append(locked.id)
        elif texts.names.isdisjoint(block.binds):
            plan.changes["unclear"].append(locked.id)


# ---- which cell is which -------------------------------------------------------------

Match = tuple[PlannedCell, Cell]


def _match_by_id(plan: Plan) -> Iterator[Match]:
    """Match cells by ``grade_id``, by the notebook format's cell id, or by given text.

    A cell that has the text of another cell, or less of the exercise than another one,
    has its metadata from another cell, or is only the stub of an answer elsewhere.
    """
    texts = plan.texts
    by_id = {}
    by_text = defaultdict(list)
    for cell in texts.cells.values():
        by_id[cell.cell_id] = cell
        if cell.locked:
            by_text[stub_of(cell).plain].append(cell)
    by_text[""] = []
    claims = defaultdict(list)
    for entry in plan.entries:
        handed = entry.handed
        text = handed.text.plain
        owners = by_text[text]
        open_owners = [owner for owner in owners if owner.id not in claims]
        claimed = [
            texts.cells.get(handed.name),
            by_id.get(handed.id),
            *(open_owners or owners)[:1],
        ]
        for cell in filter(None, claimed):
            same = not owners or stub_of(cell).plain == text
            level = texts.level(handed, cell)
            if same and level == plan.best.get(cell.id, level):  # given cells have none
                claims[cell.id].append(entry)
                break
    # Tests first: the answer above them is the one that they see.
    for name in sorted(claims, key=lambda name: not texts.cells[name].locked):
        cell = texts.cells[name]
        yield _graded_copy(claims[name], cell, plan), cell


def _by_definition(plan: Plan) -> Iterator[Match]:
    """Match exercises with the cells that have most of them; of locked ones last."""
    texts = plan.texts
    for cell in reversed(plan.unmatched):  # of two that define the same, the last one
        level = plan.best.get(cell.id, 0)
        if not level:
            continue
        entries = [
            entry
            for entry in plan.entries
            if not entry.cell and texts.level(entry.handed, cell) == level
        ]
        free = [entry for entry in entries if not entry.is_locked_piece]
        if entries:
            yield _graded_copy(free or entries, cell, plan), cell


def _by_place(plan: Plan) -> Iterator[Match]:
    """Match exercises without functions with free cells between their neighbours.

    Of several that look like an answer, the longest is taken.
    """
    # Given cells may be those of last week's assignment: no guess stands on them alone.
    matched_kinds = {cell.kind for _, cell in plan.matched}
    if matched_kinds.isdisjoint({"solution", "task", "test"}):
        return
    for cell in plan.unmatched:
        if cell.kind not in ("solution", "task"):
            continue
        free = _free_entries(cell, plan)
        if free:
            yield max(free, key=lambda entry: len(entry.handed.text.plain)), cell


def _graded_copy(
    entries: list[PlannedCell],
    cell: Cell,
    plan: Plan,
) -> PlannedCell:
    """Of several copies of a cell, return the last one above the tests of the exercise.

    It is the one that the public test judges when the notebook is run from top to
    bottom, so the student has seen its result: a copy further down may be an older one.
    A copy that was not worked on is an accident; if there is no other above the tests,
    the last one counts. A locked cell is put back as given anyway: one with its name is
    as good as any.
    """
    if cell.locked:
        return min(entries, key=lambda entry: entry.handed.name != cell.id)
    answered = [e for e in entries if plan.texts.is_answered(e.handed, cell)]
    copies = answered or entries
    tests = [t for t in plan.texts.master.of_kind("test") if t.exercise == cell.id]
    above = takewhile(lambda entry: entry.cell not in tests, plan.entries)
    return ([entry for entry in above if entry in copies] or copies)[-1]


def _free_entries(cell: Cell, plan: Plan) -> list[PlannedCell]:
    """Return what looks like an answer between the neighbours of its own cell."""
    texts = plan.texts
    rank = texts.order[cell.id]
    between = []
    is_above = True
    for entry in plan.entries:
        if not entry.cell and is_above:
            between.append(entry)
        elif entry.cell and texts.order[entry.cell.id] < rank:
            between.clear()
        elif entry.cell:
            is_above = False
    return [
        entry
        for entry in between
        if entry.handed.kind == cell.nbgrader["cell_type"]
        and entry.handed.text.plain not in texts.non_answers
        and texts.looks_like_answer(entry.handed.text, cell)
    ]
