"""Where the answers of exercises stand, and whether a cell holds one.

Students merge cells, write methods into the class above, or leave the stub beside the
answer. Where the cell of an exercise holds no answer, its functions are looked for in
all other cells.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from nbproctor.notebook import Cell
from nbproctor.submission.blocks import Block, blocks, code_of
from nbproctor.submission.kept import kept
from nbproctor.submission.read import RawCell

Match = dict[int, Cell]  # position in the student's notebook → cell of the master


@kept
def plain(text: str) -> str:
    """Return `text` without indentation and empty lines, to compare cells by."""
    return "\n".join(line.strip() for line in text.split("\n") if line.strip())


def as_given(raw: RawCell, cell: Cell) -> bool:
    """Whether a locked cell is as the student got it."""
    same = plain(raw["source"]) in (plain(cell.stub), plain(cell.source))
    return same and bool(raw["cell_type"] == cell.nbgrader["cell_type"])


@lru_cache(maxsize=1000)
def signatures(stub: str) -> frozenset[str]:
    """Return the functions and classes of a stub, each with its decorators."""
    return frozenset(block.signature for block in blocks(stub) if block.name)


def mentioned(cell: Cell, source: str) -> bool:
    """Whether a text names every function of an exercise: worth a closer look."""
    names = _names(cell.stub)
    return bool(names) and all(name in source for name in names)


def defines(cell: Cell, source: str) -> bool:
    """Whether a text defines every function of an exercise, as stub or as answer."""
    if not mentioned(cell, source):
        return False
    parts = blocks(source)
    stubs = [block for block in blocks(cell.stub) if block.name]
    return all(any(_defines(part, stub) for part in parts) for stub in stubs)


@lru_cache(maxsize=1000)
def _names(stub: str) -> tuple[str, ...]:
    return tuple(block.name for block in blocks(stub) if block.name)


@lru_cache(maxsize=1000)
def codes(stub: str) -> frozenset[tuple[str, ...]]:
    """Return the code of each block of a text."""
    return frozenset(block.code for block in blocks(stub))


def unanswered(source: str, cell: Cell) -> bool:
    """Whether the cell of an exercise still says nothing but its stub."""
    if cell.kind == "task":
        return plain(source) in ("", plain(cell.stub))
    code = code_of(source)
    if not code or code == code_of(cell.stub):
        return True
    own = [b for b in blocks(source) if b.signature in signatures(cell.stub)]
    return bool(own) and not any(written(block, cell) for block in own)


def written(block: Block, cell: Cell) -> bool:
    """Whether a block is more than the stub of an exercise has."""
    return not block.unwritten and block.code not in codes(cell.stub)


@dataclass(frozen=True)
class Find:
    """Where the answer of an exercise was found.

    Attributes
    ----------
    position
        Of the cell.
    used
        Which blocks of the cell are the answer.
    text
        The answer.
    """

    position: int
    used: frozenset[int]
    text: str


def search(
    cells: list[RawCell],
    match: Match,
    lacking: list[Cell],
    assignment: Iterable[Cell] = (),
) -> dict[str, Find]:
    """Look for the answers of exercises: in cells of the student's, then locked ones.

    Not in what the assignment itself says, such as an example of the same name. The
    last definition counts, as it does in Python.
    """
    finds: dict[str, Find] = {}
    others = (c for c in assignment if c.kind != "solution")
    given = {plain(text) for c in others for text in (c.stub, c.source)}
    for locked in (False, True):
        for position, raw in enumerate(cells):
            cell = match.get(position)
            if locked != bool(cell and cell.locked) or plain(raw["source"]) in given:
                continue
            wanted = [c for c in lacking if mentioned(c, raw["source"])]
            parts = blocks(raw["source"]) if wanted else ()
            for other in wanted:
                find = _find(position, parts, other)
                earlier = finds.get(other.id)
                if find and not (locked and earlier and not _is_locked(earlier, match)):
                    finds[other.id] = find
    return finds


def _is_locked(find: Find, match: Match) -> bool:
    cell = match.get(find.position)
    return cell is not None and cell.locked


def _find(position: int, parts: Sequence[Block], cell: Cell) -> Find | None:
    """Look for every function of a stub among the blocks of one cell."""
    used, texts = set(), []
    for wanted in (block for block in blocks(cell.stub) if block.name):
        for index, block in reversed(list(enumerate(parts))):
            if _defines(block, wanted) and written(block, cell):
                texts.append(block.text)
                used.add(index)
                break
            if method := _method(block, wanted):
                texts.append(method)
                break
        else:
            return None
    return Find(position, frozenset(used), "\n\n".join(t.strip("\n") for t in texts))


def _defines(block: Block, wanted: Block) -> bool:
    """Whether a block binds what a stub defines: ``f = lambda x: x`` does too."""
    if wanted.decorators:
        return block.signature == wanted.signature
    return wanted.name in block.binds


def _method(block: Block, wanted: Block) -> str | None:
    """Return a method of a class as the function that the stub attaches to it."""
    if not block.is_class or f"({block.name})" not in "".join(wanted.decorators):
        return None
    for method in reversed(block.methods()):
        if method.name == wanted.name and not method.unwritten:
            if method.code[len(method.decorators) :] == wanted.code[1:]:
                return None
            return "\n".join([*wanted.decorators, method.text.strip("\n")])
    return None
