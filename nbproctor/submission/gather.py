"""Gather answers: each gets a cell of its own, from merged, locked or other cells.

Locked cells are put back as given. What a student added to one, where it can be told
from the original, becomes an answer or a cell of the student's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from nbproctor.notebook import Cell, MasterNotebook
from nbproctor.submission.answers import (
    Find,
    Match,
    as_given,
    codes,
    search,
    signatures,
    unanswered,
    written,
)
from nbproctor.submission.blocks import Block, blocks, code_of
from nbproctor.submission.read import RawCell


@dataclass
class Gathered:
    """The cells of a notebook with every answer that was found in a cell of its own.

    Attributes
    ----------
    cells, match
        The cells, and which cell of the master each is.
    moved
        Exercises whose answer was found elsewhere.
    kept
        Locked cells to which definitions had been added; they are cells of their own.
    unclear
        Locked cells with text that belongs to no exercise for sure.
    """

    cells: list[RawCell] = field(default_factory=list)
    match: Match = field(default_factory=dict)
    moved: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    unclear: list[str] = field(default_factory=list)

    def add(self, raw: RawCell, cell: Cell | None) -> None:
        """Append a cell of the student's."""
        if cell is not None:
            self.match[len(self.cells)] = cell
        self.cells.append(raw)

    def add_text(self, text: str, cell: Cell | None = None) -> None:
        """Append code as a cell of its own, if there is any."""
        if code_of(text):
            source = text.strip("\n")
            raw = {"cell_type": "code", "id": "", "grade_id": None, "source": source}
            self.add(raw, cell)


def gather(cells: list[RawCell], match: Match, master: MasterNotebook) -> Gathered:
    """Give every exercise the cell that answers it, wherever that stands."""
    position_of = {cell.id: position for position, cell in match.items()}
    lacking = [
        cell
        for cell in master.of_kind("solution")
        if cell.id not in position_of
        or unanswered(cells[position_of[cell.id]]["source"], cell)
    ]
    finds = search(cells, match, lacking, master.cells)
    given = _Given(master)
    result = Gathered(moved=[cell.id for cell in lacking if cell.id in finds])
    for position, raw in enumerate(cells):
        cell = match.get(position)
        here = {c.id: finds[c.id] for c in lacking if c.id in finds}
        here = {name: find for name, find in here.items() if find.position == position}
        answers = [(c, here[c.id]) for c in lacking if c.id in here]
        if cell is not None and cell.locked:
            left = [c for c in lacking if c.id not in finds]
            _split_locked(result, raw, cell, answers, left, given)
        elif answers:
            _split(result, raw, cell, answers, given)
        elif cell is not None and cell.id in finds:  # its own cell holds the stub
            rest = [
                block
                for block in blocks(raw["source"])
                if block.signature not in signatures(cell.stub)
                and block.code not in codes(cell.stub)
            ]
            result.add_text(_joined(rest))
        else:
            result.add(_without_stub(raw, cell), cell)
    return result


class _Given:
    """The text of the assignment that students do not write."""

    def __init__(self, master: MasterNotebook) -> None:
        locked = [c for c in master.cells if c.locked or not c.nbgrader]
        parts = [b for c in locked for text in {c.stub, c.source} for b in blocks(text)]
        self.codes = {block.code for block in parts}
        self.names = {name for block in parts for name in block.binds}
        self.classes = {block.name: block for block in parts if block.is_class}
        stubs = (cell.stub for cell in master.of_kind("solution"))
        self.signatures = {name for stub in stubs for name in signatures(stub)}
        graded = [cell for cell in master.cells if cell.nbgrader]
        self.neighbours = {
            frozenset({a.id, b.id})
            for a, b in pairwise(graded)
            if a.nbgrader["cell_type"] == b.nbgrader["cell_type"] == "code"
        }

    def added(self, block: Block) -> bool:
        """Whether a block defines what the assignment does not: it can be kept."""
        free = block.binds and self.names.isdisjoint(block.binds)
        return bool(free) and block.signature not in self.signatures

    def helpers(self, block: Block) -> Iterator[str]:
        """Yield code for the methods that a given class got beside its own."""
        original = self.classes.get(block.name) if block.is_class else None
        if original is None or block.code == original.code:
            return
        own = {method.name for method in original.methods()}
        wanted = {signature.rpartition(")")[2] for signature in self.signatures}
        for method in block.methods():
            if method.name not in own | wanted:
                name = method.name
                yield f"{method.text}\n\n{block.name}.{name} = {name}\ndel {name}"


def _split_locked(
    result: Gathered,
    raw: RawCell,
    cell: Cell,
    answers: list[tuple[Cell, Find]],
    left: list[Cell],
    stubs: _Given,
) -> None:
    """Put a locked cell back as given; what the student added follows it.

    An answer to what the cell tests comes before it.
    """
    if as_given(raw, cell) or cell.nbgrader["cell_type"] != "code":
        result.add(raw, cell)
        return
    used = {index for _, find in answers for index in find.used}
    rest = [
        block
        for index, block in enumerate(blocks(raw["source"]))
        if block.code and index not in used and block.code not in stubs.codes
    ]
    kept = [block.text for block in rest if stubs.added(block)]
    kept += [text for block in rest for text in stubs.helpers(block)]
    edits = [b for b in rest if not stubs.added(b) and stubs.names.isdisjoint(b.binds)]
    nameless = [
        c
        for c in left
        if not signatures(c.stub)
        and frozenset({c.id, cell.id}) in stubs.neighbours
        and c.id not in result.moved
    ]
    if len(nameless) == 1 and (edits or kept):
        (exercise,) = nameless
        text = _joined([b for b in rest if stubs.names.isdisjoint(b.binds)])
        answers = [*answers, (exercise, Find(-1, frozenset(), text))]
        result.moved.append(exercise.id)
        kept, edits = [], []
    first = any(exercise.id == cell.exercise for exercise, _ in answers)
    if not first:
        result.add(raw, cell)
    result.add_text("\n\n".join(kept))
    for exercise, find in answers:
        result.add_text(find.text, exercise)
    if first:
        result.add(raw, cell)
    if kept:
        result.kept.append(cell.id)
    if edits and left:
        result.unclear.append(cell.id)


def _split(
    result: Gathered,
    raw: RawCell,
    cell: Cell | None,
    answers: list[tuple[Cell, Find]],
    stubs: _Given,
) -> None:
    """Cut a cell of the student's into the answers that it holds, and the rest."""
    parts = blocks(raw["source"])
    whole = {index for _, find in answers for index in find.used}
    alone = cell is None and len(answers) == 1 and whole
    if alone and not any(b.binds and b.code in stubs.codes for b in parts):
        (exercise, _), *_ = answers
        result.add(_without_stub(raw, exercise), exercise)
        return
    at = {max(find.used, default=len(parts)): c for c, find in answers}
    texts = {c.id: find.text for c, find in answers}
    own = [i for i, b in enumerate(parts) if cell and _answers(b, cell)]
    rest: list[Block] = []
    carrier = cell  # the exercise whose own cell this is
    for index, block in enumerate(parts):
        if index in at:
            if not cell or (own and own[0] > index):
                result.add_text(_joined(rest))
                rest = []
            exercise = at.pop(index)
            if carrier and own and own[-1] < index:
                result.add(raw | {"source": _joined(rest).strip("\n")}, carrier)
                carrier, rest = None, []
            result.add_text(texts.pop(exercise.id), exercise)
        elif index not in whole and block.code not in stubs.codes:
            rest.append(block)
    if carrier:
        result.add(raw | {"source": _joined(rest).strip("\n")}, carrier)
    else:
        result.add_text(_joined(rest))
    for exercise, find in answers:
        if exercise.id in texts:  # methods of a class, which is complete only now
            result.add_text(find.text, exercise)


def _answers(block: Block, cell: Cell) -> bool:
    return block.signature in signatures(cell.stub)


def _without_stub(raw: RawCell, cell: Cell | None) -> RawCell:
    """Leave out the stub that stands beside the answer in the same cell."""
    if cell is None or cell.kind != "solution":
        return raw
    parts = blocks(raw["source"])
    solved = {b.signature for b in parts if _answers(b, cell) and written(b, cell)}
    kept = [b for b in parts if b.signature not in solved or written(b, cell)]
    return raw if len(kept) == len(parts) else raw | {"source": _joined(kept)}


def _joined(parts: Iterable[Block]) -> str:
    return "\n".join(block.text for block in parts)
