"""The plan of a repair: which submitted cell is which cell of the assignment.

Everything is decided here, by rules in a fixed order, before `rebuild` writes anything.
"""

from __future__ import annotations

import builtins
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from nbproctor.cells import Block, CellText, SubmittedCell
from nbproctor.notebook import Cell, MasterNotebook


def stub_of(cell: Cell) -> CellText:
    """Return the text of a cell as students get it."""
    return CellText.parse(cell.stub)


class MasterTexts:
    """The texts of the master notebook, and those that students do not write."""

    def __init__(self, master: MasterNotebook) -> None:
        self.master = master
        self.cells = {cell.id: cell for cell in master.cells if cell.nbgrader}
        self.order = {cell.id: rank for rank, cell in enumerate(master.cells)}
        self.exercises = master.of_kind("solution")
        teacher_texts = [
            text
            for cell in master.cells
            if cell.locked or not cell.nbgrader
            for text in (stub_of(cell), CellText.parse(cell.source))
        ]
        self.given_texts = {text.plain for text in teacher_texts}
        self.given_code = {code for text in teacher_texts for code in text.codes}
        self.names = {name for text in teacher_texts for name in text.binds}
        words = {CellText.parse(text).plain for _, text in master.texts}
        # A cell with one of these texts is not an answer.
        self.non_answers = self.given_texts | words | {""}
        self.signatures = {
            signature
            for exercise in self.exercises
            for signature in stub_of(exercise).signatures
        }

    def is_untouched(self, handed: SubmittedCell, cell: Cell) -> bool:
        """Whether a locked cell is unchanged since this release or an earlier one."""
        if handed.is_released:
            return True
        is_same_kind = handed.kind == cell.nbgrader["cell_type"]
        return is_same_kind and handed.text.plain in self.given_texts

    def is_answered(self, handed: SubmittedCell, cell: Cell) -> bool:
        """Whether the cell of an exercise says more than its stub."""
        return handed.text.answers(stub_of(cell), words=cell.kind == "task")

    def answer_in(self, text: CellText, exercise: Cell) -> set[int]:
        """Return the positions of the blocks that answer an exercise.

        The set is empty if a function is missing. Of several definitions, the last one
        counts, as in Python. Do not call this for a text that students are given.
        """
        stub = stub_of(exercise)
        functions = stub.functions_to_write
        last = {
            function.signature: index
            for index, block in enumerate(text.blocks)
            if stub.writes(block)
            for function in functions
            if block.defines(function)
        }
        if len(last) < len(functions):
            return set()
        return set(last.values())

    def level(self, handed: SubmittedCell, exercise: Cell) -> int:
        """Return how much of an exercise a cell has.

        2: its answer, 1: only its functions, 0: nothing. A text that students are given
        has nothing, and so has the cell of another exercise with the same functions.
        """
        stub = stub_of(exercise)
        if handed.text.plain in self.given_texts:
            return 0
        other = self.cells.get(handed.name, exercise)
        if other is not exercise:
            is_similar = stub.signatures & stub_of(other).signatures
            if is_similar:
                return 0
        if self.master.repairs and self.answer_in(handed.text, exercise):
            return 2
        return int(handed.text.defines(stub))

    def is_student_code(self, block: Block, locked: Cell | None) -> bool:
        """Whether a block is the student's own: neither given code nor a stub.

        In a locked cell, it must also define names that the assignment does not define.
        """
        is_stub = block.is_unwritten and block.signature in self.signatures
        if is_stub or block.code in self.given_code:
            return False
        if not locked:
            return True
        return bool(block.binds) and self.names.isdisjoint(block.binds)

    def looks_like_answer(self, text: CellText, exercise: Cell) -> bool:
        """Whether a free cell may be the answer of an exercise without a function.

        It must define a name that is tested, if the tests use such names.
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
    """A cell of the gradable notebook: its content, and its cell in the master."""

    handed: SubmittedCell
    cell: Cell | None = None  # None if it is the student's own
    is_locked_piece: bool = False  # whether it was cut out of a locked cell


Changes = defaultdict[str, list[str]]


@dataclass
class Plan:
    """The submitted cells, and their cells in the master."""

    texts: MasterTexts
    entries: list[PlannedCell] = field(default_factory=list)  # merged cells are cut
    #: Kind of change → the changed cells. This module only notes changes to locked
    #: cells.
    changes: Changes = field(default_factory=lambda: defaultdict(list))

    @property
    def matched(self) -> list[tuple[SubmittedCell, Cell]]:
        """The submitted cells that are cells of the assignment, and these cells."""
        return [(entry.handed, entry.cell) for entry in self.entries if entry.cell]

    @property
    def unmatched(self) -> list[Cell]:
        """The cells of the assignment that have no match yet, in its order."""
        matched = {cell.id for _, cell in self.matched}
        cells = self.texts.cells.values()
        return [cell for cell in cells if cell.id not in matched]

    @cached_property
    def best(self) -> dict[str, int]:
        """Exercise → the highest level of any cell."""
        texts = self.texts
        return {
            exercise.id: max(
                (texts.level(entry.handed, exercise) for entry in self.entries),
                default=0,
            )
            for exercise in texts.exercises
        }


def make_plan(cells: list[SubmittedCell], master: MasterNotebook) -> Plan:
    """Decide which submitted cell is which cell of the master."""
    plan = Plan(_texts_of(master))
    for handed in cells:
        pieces = _cut(handed, plan) if master.repairs else [PlannedCell(handed)]
        plan.entries += pieces
    _match_by_id(plan)
    _match_by_definition(plan)
    _match_by_place(plan)
    return plan


def _cut(handed: SubmittedCell, plan: Plan) -> list[PlannedCell]:
    """Cut a merged cell into its answers, and the student's code between them.

    An answer takes the place of its last part. Given code is left out. A locked cell
    itself comes first, or last if it tests one of the answers.
    """
    texts = plan.texts
    is_given = handed.is_released or handed.text.plain in texts.given_texts
    if is_given or handed.kind != "code":
        return [PlannedCell(handed)]
    blocks = handed.text.blocks
    cell = texts.cells.get(handed.name)
    locked = cell if cell and cell.locked else None
    owners = _owners_of_blocks(handed, None if locked else cell, texts)
    others = set(owners.values()) - {handed.name}
    has_given_code = texts.given_code & handed.text.codes
    is_mixed = others and (cell or len(others) > 1 or has_given_code)
    if not locked and not is_mixed:
        return [PlannedCell(handed)]
    last = {owner: index for index, owner in sorted(owners.items())}
    parts = defaultdict(list)  # by exercise; "" for the student's own
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
        others_blocks = [block for i, block in enumerate(blocks) if i not in owners]
        _note_changes(locked, others_blocks, plan)
        is_tested = locked.exercise in others
        pieces.insert(len(pieces) if is_tested else 0, handed)
    return [
        PlannedCell(piece, is_locked_piece=bool(locked))
        for piece in pieces
        if piece is handed or piece.text.code
    ]


def _owners_of_blocks(
    handed: SubmittedCell,
    answered: Cell | None,
    texts: MasterTexts,
) -> dict[int, str]:
    """Return the exercise of each block that is part of an answer, by position.

    `answered` is the exercise whose cell this is.
    """
    blocks = handed.text.blocks
    stub = stub_of(answered) if answered else CellText("")
    owners = {
        index: handed.name
        for index, block in enumerate(blocks)
        if block.signature in stub.signatures
    }
    for exercise in texts.exercises:
        for index in texts.answer_in(handed.text, exercise):
            owners.setdefault(index, exercise.id)
    if answered and not stub.definitions:
        for index, block in enumerate(blocks):
            if block.code not in texts.given_code:
                owners.setdefault(index, answered.id)
    return owners


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
    """Note the changes that are left when the answers are cut out of a locked cell."""
    texts = plan.texts
    unchanged = texts.given_code | {()}
    for block in blocks:
        if block.code in unchanged:
            continue
        if texts.is_student_code(block, locked):
            plan.changes["added"].append(locked.id)
        elif texts.names.isdisjoint(block.binds):
            plan.changes["unclear"].append(locked.id)


# ---- which cell is which -------------------------------------------------------------


def _match_by_id(plan: Plan) -> None:
    """Match cells by ``grade_id``, by the notebook format's cell id, or by given text.

    A cell with the given text of another cell is not matched by its ids, because its
    metadata belongs to that one. Nor is a cell that has less of the exercise than
    another one: it is only the stub of an answer elsewhere.
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
            is_of_cell = not owners or stub_of(cell).plain == text
            level = texts.level(handed, cell)
            best = plan.best.get(cell.id, level)  # given cells have no level
            if is_of_cell and level == best:
                claims[cell.id].append(entry)
                break
    # Tests first, because an answer is chosen by their position.
    claimed_cells = [texts.cells[name] for name in claims]
    for cell in sorted(claimed_cells, key=lambda cell: not cell.locked):
        _graded_copy(claims[cell.id], cell, plan).cell = cell


def _match_by_definition(plan: Plan) -> None:
    """Match exercises with the cells that have most of them, locked cells last."""
    texts = plan.texts
    # Reversed: if two exercises define the same functions, the last one gets the cell.
    for cell in reversed(plan.unmatched):
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
            _graded_copy(free or entries, cell, plan).cell = cell


def _match_by_place(plan: Plan) -> None:
    """Match exercises without functions with free cells between their neighbours.

    Of several cells that look like an answer, the longest is taken.
    """
    # Given cells may be those of last week's assignment, so they are not enough.
    matched_kinds = {cell.kind for _, cell in plan.matched}
    if matched_kinds.isdisjoint({"solution", "task", "test"}):
        return
    for cell in plan.unmatched:
        if cell.kind not in ("solution", "task"):
            continue
        free = _free_entries(cell, plan)
        if free:
            longest = max(free, key=lambda entry: len(entry.handed.text.plain))
            longest.cell = cell


def _graded_copy(
    entries: list[PlannedCell],
    cell: Cell,
    plan: Plan,
) -> PlannedCell:
    """Of several copies of a cell, return the last one above the tests of the exercise.

    The public test judges this copy when the notebook is run from top to bottom, so the
    student has seen its result. A copy further down may be an older one. Copies without
    an answer count only if there are no others. If no copy is above the tests, the last
    one counts. A locked cell is replaced by the original, so any copy will do.
    """
    if cell.locked:
        return min(entries, key=lambda entry: entry.handed.name != cell.id)
    texts = plan.texts
    answered = [entry for entry in entries if texts.is_answered(entry.handed, cell)]
    copies = answered or entries
    all_tests = texts.master.of_kind("test")
    tests = {test.id for test in all_tests if test.exercise == cell.id}
    graded = None
    for entry in plan.entries:
        if entry.cell and entry.cell.id in tests:
            break
        if entry in copies:
            graded = entry
    return graded or copies[-1]


def _free_entries(cell: Cell, plan: Plan) -> list[PlannedCell]:
    """Return the cells that look like an answer, between the neighbours of a cell."""
    texts = plan.texts
    rank = texts.order[cell.id]
    between: list[PlannedCell] = []
    is_above = True
    for entry in plan.entries:
        if entry.cell:
            if texts.order[entry.cell.id] < rank:
                between.clear()
            else:
                is_above = False
        elif is_above:
            between.append(entry)
    return [
        entry
        for entry in between
        if entry.handed.kind == cell.nbgrader["cell_type"]
        and entry.handed.text.plain not in texts.non_answers
        and texts.looks_like_answer(entry.handed.text, cell)
    ]
