"""The gradable notebook: written from a plan, with sentences on what was changed.

Every cell of the assignment is in it once, locked ones as given; every answer has a
cell of its own, from merged, locked or other cells.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any

from nbproctor import sanitize
from nbproctor.cells import MAX_REMEMBERED, Block, CellText, HandedCell
from nbproctor.notebook import Cell
from nbproctor.submission.match import Find, Given, Plan

Entry = tuple[HandedCell, Cell | None]  # and the cell of the assignment that it is
NOTHING = HandedCell("code", "", None, CellText(""))  # for a cell that is missing

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
    "stub": "The given beginning still stood below your code, where it would replace "
    "it, and was left out: delete it",
    "raises": "`raise NotImplementedError` still stood below your code, and was graded "
    "as a comment: delete that line",
    "lost": "There is no cell in your notebook for",
}


class Rebuilt:
    """The cells of a gradable notebook."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._given = plan.given
        self._changes: dict[str, list[str]] = {key: [] for key in _SAID}
        self._changes["elsewhere"] += [c.id for c in plan.lacking if c.id in plan.finds]
        self._entries: list[Entry] = []
        for position, handed in enumerate(plan.cells):
            self._place(position, handed, plan.match.get(position))
        placed = [(handed, cell) for handed, cell in self._entries if cell]
        # Whether any exercise or test of the assignment was handed in.
        self.belongs = any(c.kind in ("solution", "task", "test") for _, c in placed)
        # Exercise → its text, where that is more than the stub.
        self.answers = {
            cell.id: handed.text.text
            for handed, cell in placed
            if cell.kind in ("solution", "task")
            and self._given.is_answered(handed, cell)
        }

    def notebook(self) -> tuple[list[dict[str, Any]], list[str]]:
        """Return the cells as the notebook format has them, and what was changed."""
        entries = self._with_absent(list(self._in_place()))
        entries = [self._without_stub_line(*entry) for entry in entries]
        room = sanitize.room_for_notebook()
        return _with_ids([_written(*entry, room) for entry in entries]), [
            f"{_SAID[key]}: {_some(names)}."
            for key, names in self._changes.items()
            if names
        ]

    # ---- answers into cells of their own ---------------------------------------------

    def _add(self, text: str, cell: Cell | None = None) -> None:
        """Append code as a cell of its own, if there is any."""
        parsed = CellText.of(text.strip("\n"))
        if parsed.code:
            self._entries.append((HandedCell("code", "", None, parsed), cell))

    def _place(self, position: int, handed: HandedCell, cell: Cell | None) -> None:
        answers = self._plan.answers_in(position)
        if cell is not None and cell.locked:
            self._split_locked(position, handed, cell, answers)
        elif answers or (cell is not None and cell.id in self._plan.finds):
            self._split(handed, cell, answers)
        else:
            self._entries.append((self._without_stub(handed, cell), cell))

    def _split_locked(
        self,
        position: int,
        handed: HandedCell,
        cell: Cell,
        answers: list[tuple[Cell, Find]],
    ) -> None:
        """Put a locked cell back, between an answer that it tests and other code."""
        given = self._given
        entry = handed, cell
        if given.is_untouched(handed, cell) or cell.nbgrader["cell_type"] != "code":
            self._entries.append(entry)
            return
        added = self._plan.added_to(position)
        kept = [block.text for block in added if given.is_added(block)]
        kept += [text for block in added for text in _helpers(block, given)]
        first = any(exercise.id == cell.exercise for exercise, _ in answers)
        if not first:
            self._entries.append(entry)
        self._add("\n\n".join(kept))
        for exercise, find in answers:
            self._add(find.text, exercise)
        if first:
            self._entries.append(entry)
        if kept:
            self._changes["kept"].append(cell.id)
        missing = any(c.id not in self._plan.finds for c in self._plan.lacking)
        if missing and any(
            given.names.isdisjoint(block.binds) and not given.is_added(block)
            for block in added
        ):
            self._changes["unclear"].append(cell.id)

    def _split(
        self, handed: HandedCell, cell: Cell | None, answers: list[tuple[Cell, Find]]
    ) -> None:
        """Cut a cell of the student's into the answers that it holds, and the rest."""
        parts, codes = handed.text.blocks, self._given.codes
        whole = {index for _, find in answers for index in find.used}
        alone = cell is None and len(answers) == 1 and whole
        if alone and not any(b.binds and b.code in codes for b in parts):
            exercise = answers[0][0]
            self._entries.append((self._without_stub(handed, exercise), exercise))
            return
        at = {max(find.used, default=len(parts)): c for c, find in answers}
        texts = {c.id: find.text for c, find in answers}
        stub = self._given.stub[cell.id] if cell else CellText("")
        own = [i for i, block in enumerate(parts) if block.signature in stub.signatures]
        carrier = cell  # the exercise whose own cell this is
        if cell and cell.id in self._plan.finds:  # of it, only the stub is here
            carrier, codes = None, codes | stub.codes
            whole |= set(own)
        rest: list[Block] = []
        for index, block in enumerate(parts):
            if index in at:
                if not carrier or (own and own[0] > index):
                    self._add(_text(rest))
                    rest = []
                exercise = at.pop(index)
                if carrier and own and own[-1] < index:
                    self._entries.append((_with_text(handed, rest), carrier))
                    carrier, rest = None, []
                self._add(texts.pop(exercise.id), exercise)
            elif index not in whole and block.code not in codes:
                rest.append(block)
        if carrier:
            self._entries.append((_with_text(handed, rest), carrier))
        else:
            self._add(_text(rest))
        for exercise, find in answers:
            if exercise.id in texts:  # methods of a class, which is complete only now
                self._add(find.text, exercise)

    def _without_stub(self, handed: HandedCell, cell: Cell | None) -> HandedCell:
        """Leave out the stub beside an answer; say so if it would have cost points."""
        if cell is None or cell.kind != "solution" or not self._given.master.repairs:
            return handed
        stub, parts = self._given.stub[cell.id], handed.text.blocks
        same = [b for b in parts if b.signature in stub.signatures and stub.writes(b)]
        solved = {block.signature for block in same}
        kept = [b for b in parts if b.signature not in solved or stub.writes(b)]
        if len(kept) == len(parts):
            return handed
        if parts.index(kept[-1]) < len(parts) - 1 or not handed.text.compiles:
            self._changes["stub"].append(cell.id)
        return replace(handed, text=CellText.of(_text(kept)))

    def _without_stub_line(self, handed: HandedCell, cell: Cell | None) -> Entry:
        """Comment out the stub's line where that only ends a finished answer."""
        if cell is None or cell.kind != "solution" or not self._given.master.repairs:
            return handed, cell
        stub, reference = self._given.stub[cell.id], CellText.of(cell.source)
        text = handed.text.without_stub_line(stub, reference)
        if text is handed.text:
            return handed, cell
        self._changes["raises"].append(cell.id)
        return replace(handed, text=text), cell

    # ---- every cell of the assignment once, where it works ---------------------------

    def _in_place(self) -> Iterator[Entry]:
        """Yield what stays where it is: no copies, no locked cell where it fails."""
        given, changes = self._given, self._changes
        by_text = {
            given.stub[cell.id].plain: cell
            for cell in given.cells.values()
            if cell.locked or cell.kind == "solution"
        }
        by_text.pop("", None)
        misplaced = self._misplaced() if given.master.repairs else ()
        for place, (handed, cell) in enumerate(self._entries):
            if cell is None:
                copied = given.cells.get(handed.name or "")
                if not copied or not (
                    copied.locked or not given.is_answered(handed, copied)
                ):
                    copied = by_text.get(handed.text.plain)
                if copied and given.master.repairs:
                    changes["copies"].append(copied.id)
                    continue
            elif place in misplaced:
                changes["moved"].append(cell.id)
                continue
            else:
                if handed.name != cell.id and cell.id not in changes["elsewhere"]:
                    changes["found"].append(cell.id)
                if cell.locked and not given.is_untouched(handed, cell):
                    changes["restored"].append(cell.id)
                elif handed.kind != cell.nbgrader["cell_type"]:
                    changes["text"].append(cell.id)
            yield handed, cell

    def _misplaced(self) -> set[int]:
        """Return where tests stand above what they need, or given code out of order."""
        order = self._given.order
        known = [(p, cell) for p, (_, cell) in enumerate(self._entries) if cell]
        others = [(p, cell) for p, cell in known if cell.kind != "test"]
        stay = in_order([order[cell.id] for _, cell in others])
        locked = {p: order[cell.id] for p, cell in others if cell.locked}
        wrong = {p for p, rank in locked.items() if rank not in stay}
        answers = {cell.id: p for p, cell in others if cell.kind == "solution"}
        for place, cell in known:
            if cell.kind == "test":
                rank = order[cell.id]
                needed = [p for p in locked if p not in wrong and locked[p] < rank]
                if place < max([answers.get(cell.exercise or "", -1), *needed]):
                    wrong.add(place)
        return wrong

    def _with_absent(self, entries: list[Entry]) -> list[Entry]:
        """Put every cell that is not there after the cell it follows in the source."""
        place_of = {cell.id: n for n, (_, cell) in enumerate(entries) if cell}
        absent: dict[int, list[Entry]] = {}  # place → what comes before it
        place = 0
        for cell in self._given.cells.values():
            if cell.id in place_of:
                place = place_of[cell.id] + 1
                continue
            absent.setdefault(place, []).append((NOTHING, cell))
            if cell.kind in ("solution", "task"):
                self._changes["lost"].append(cell.id)
            elif cell.id not in self._changes["moved"]:
                self._changes["missing"].append(cell.id)
        return [
            entry
            for n in range(len(entries) + 1)
            for entry in [*absent.get(n, ()), *entries[n : n + 1]]
        ]


def _helpers(block: Block, given: Given) -> Iterator[str]:
    """Yield code for the methods that a given class got beside its own."""
    original = given.classes.get(block.name) if block.is_class else None
    if original is None or block.code == original.code:
        return
    own = {method.name for method in original.methods}
    wanted = {signature.rpartition(")")[2] for signature in given.signatures}
    for method in block.methods:
        if method.name not in own | wanted:
            name = method.name
            yield f"{method.text}\n\n{block.name}.{name} = {name}\ndel {name}"


def _text(parts: Iterable[Block]) -> str:
    return "\n".join(block.text for block in parts)


def _with_text(handed: HandedCell, parts: Iterable[Block]) -> HandedCell:
    return replace(handed, text=CellText.of(_text(parts).strip("\n")))


def in_order(ranks: list[int]) -> set[int]:
    """Return the longest run of source positions that is in order already."""
    tails: list[int] = []
    chains: list[list[int]] = []
    for rank in ranks:
        at = bisect_left(tails, rank)
        chain = [*(chains[at - 1] if at else []), rank]
        tails[at : at + 1], chains[at : at + 1] = [rank], [chain]
    return set(chains[-1]) if chains else set()


# ---- cells as the notebook format has them -------------------------------------------


def _written(handed: HandedCell, cell: Cell | None, room: list[int]) -> dict[str, Any]:
    """Return a cell; all of it but the text of an answer is the assignment's."""
    text, kind, id = handed.text.text, handed.kind, handed.id
    new: dict[str, Any] = {"metadata": {}}
    if cell:
        kind, id = cell.nbgrader["cell_type"], cell.cell_id
        new["metadata"]["nbgrader"] = dict(cell.nbgrader)
    if kind == "code":
        new |= {"outputs": [], "execution_count": None}
    else:  # a page shows HTML in it alive, in a raw cell too
        attached = sanitize.attachments(handed.attachments, room)
        if attached or len(text) > min(MAX_REMEMBERED, room[0]):
            text = sanitize.markdown(text, attached, room)
        else:
            text = _harmless(text)
            room[0] -= len(text)
        if attached and kind == "markdown":
            new["attachments"] = attached
    source = cell.source if cell and cell.locked else text
    return new | {"cell_type": kind, "id": id, "source": source}


def _with_ids(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give every cell a valid id of its own, never the name of a master's cell."""
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


_harmless = lru_cache(maxsize=1_000)(sanitize.markdown)  # mostly the assignment's own


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    return ", ".join(names[:4]) + more
