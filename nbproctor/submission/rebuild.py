"""The gradable notebook: written from a plan, with sentences on the changes.

It has every cell of the assignment once, and locked cells unchanged. Every answer has
its own cell, whether it came from a merged, a locked or another cell.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from difflib import SequenceMatcher

from nbproctor import sanitize
from nbproctor.cells import CellText, RawCell, SubmittedCell, grade_id, list_few
from nbproctor.notebook import Cell, MasterNotebook
from nbproctor.submission.match import PlannedCell, joined, make_plan, stub_of
from nbproctor.submission.read import Version

# The content of a cell that is missing.
EMPTY_CELL = SubmittedCell(CellText(""))

_SENTENCES = {
    "matched": "Cells without nbgrader's metadata (Colab and VS Code can remove it) "
    "were recognised by id, text and position",
    "restored": "Changed read-only cells were restored",
    "copies": "Unchanged copies of original cells were left out",
    "text": "Answers in text cells were made code cells again",
    "several": "More than one cell answers these exercises. The one above their tests "
    "was graded",
    "moved": "Read-only cells were moved to where they belong",
    "missing": "Missing read-only cells were added again",
    "elsewhere": "Answers were found in a different cell than expected",
    "added": "Code that was added to read-only cells was moved to new cells",
    "unclear": "Changes in read-only cells were not graded, because it is unclear "
    "which exercise they belong to",
    "stub": "The original stub was still below the answer and would have replaced the "
    "answer, so the stub was left out. Delete it",
    "raises": "`raise NotImplementedError` was still below the answer and was ignored. "
    "Delete that line",
    "lost": "The notebook has no cell for",
}


class Rebuilt:
    """A version of a notebook, and the cells of a gradable notebook made from it.

    `number` is the number of its file; the first file is the likeliest one.
    """

    def __init__(
        self,
        version: Version,
        number: int,
        master: MasterNotebook,
    ) -> None:
        self.version = version
        self.number = number
        plan = make_plan(version.cells, master)
        self._texts = plan.texts
        self._changes = plan.changes
        self._entries = plan.entries
        #: Whether it contains an exercise or a test of the assignment.
        self.belongs = False
        #: Exercise → its cell, if that has more than the stub.
        self._answers: dict[str, SubmittedCell] = {}
        has_marks = any(entry.handed.name in plan.texts.cells for entry in plan.entries)
        for entry in plan.entries:
            cell = entry.cell
            if not cell or cell.kind not in ("solution", "task", "test"):
                continue
            self.belongs = True
            if cell.kind == "solution":
                if has_marks and not entry.handed.name:
                    self._changes["elsewhere"].append(cell.id)
                if master.repairs:
                    entry.handed = self._without_stub(entry.handed, cell)
            is_test = cell.kind == "test"
            if not is_test and plan.texts.is_answered(entry.handed, cell):
                self._answers[cell.id] = entry.handed
        exercises = {cell.id for cell in plan.texts.exercises}
        if exercises <= self._answers.keys():
            self._changes["unclear"].clear()

    @property
    def answers(self) -> dict[str, str]:
        """Exercise → the text of its answer."""
        return {name: handed.text.text for name, handed in self._answers.items()}

    @property
    def lost(self) -> list[str]:
        """Exercises for which `notebook` found no cell."""
        return self._changes["lost"]

    def answer_with_own_code(self, name: str, other: Rebuilt) -> list[SubmittedCell]:
        """Return the student's own code that an answer needs, and the answer.

        This code defines names that the answer uses, or names that such code uses. Code
        with the same text as in the version `other` is left out.
        """
        answer = self._answers[name]
        own_code = self._own_code()
        needed = answer.text.uses
        chosen = set()
        while more := [
            text for text in own_code if text not in chosen and text.binds & needed
        ]:
            chosen.update(more)
            needed = needed.union(*(text.uses for text in more))
        present = {text.plain for text in other._own_code()}
        cells = [
            SubmittedCell(text)
            for text in own_code
            if text in chosen and text.plain not in present
        ]
        return [*cells, answer]

    def notebook(
        self, additions: Mapping[str, list[SubmittedCell]]
    ) -> tuple[list[RawCell], list[str]]:
        """Return the cells in the notebook format, and sentences on the changes.

        `additions` are answers from other versions: see `answer_with_own_code`.
        """
        budget = sanitize.DisplayBudget()
        repairs = self._texts.master.repairs
        cells = []
        for entry in self._complete(additions):
            cell = entry.cell
            parts = [entry.handed]
            if cell:
                parts = additions.get(cell.id, parts)
            *before, answer = parts
            if cell and cell.kind == "solution" and repairs:
                answer = self._without_stub_line(answer, cell)
            cells += [
                _to_raw_cell(
                    handed=addition,
                    cell=None,
                    budget=budget,
                )
                for addition in before
            ]
            cells.append(
                _to_raw_cell(
                    handed=answer,
                    cell=cell,
                    budget=budget,
                )
            )
        notes = []
        for change, sentence in _SENTENCES.items():
            names = [*dict.fromkeys(self._changes[change])]
            if names:
                notes.append(f"{sentence}: {list_few(names, most=4)}.")
        return _with_ids(cells), notes

    def _own_code(self) -> list[CellText]:
        """Return what the student wrote beside the answers, in its order."""
        texts = []
        for entry in self._entries:
            text = entry.handed.text
            if not entry.cell and entry.handed.kind == "code":
                texts.append(text)
            elif entry.cell and entry.cell.kind == "solution":
                stub = stub_of(entry.cell)
                helpers = [b for b in text.blocks if not b.binds & stub.names]
                texts.append(CellText.parse(joined(helpers)))
        return texts

    def _without_stub(self, handed: SubmittedCell, exercise: Cell) -> SubmittedCell:
        """Leave out the stub next to an answer; say so if it would have cost points."""
        blocks = handed.text.blocks
        written = {block.signature for block in blocks if not block.is_unwritten}
        left_over = stub_of(exercise).signatures & written
        answer = [
            block
            for block in blocks
            if not block.is_unwritten or block.signature not in left_over
        ]
        if answer[-1] is not blocks[-1]:
            self._changes["stub"].append(exercise.id)
        return replace(handed, text=CellText.parse(joined(answer)))

    def _without_stub_line(
        self, handed: SubmittedCell, exercise: Cell
    ) -> SubmittedCell:
        """Comment out the stub's line if it is only the end of a finished answer."""
        text = handed.text.without_stub_line(
            stub_of(exercise), CellText.parse(exercise.source)
        )
        if text is handed.text:
            return handed
        self._changes["raises"].append(exercise.id)
        return replace(handed, text=text)

    # ---- every cell of the assignment once, where it works ---------------------------

    def _in_place(self) -> Iterator[PlannedCell]:
        """Yield the cells that stay in place: no copies, no cells out of order."""
        texts = self._texts
        changes = self._changes
        by_text = {
            stub_of(cell).plain: cell
            for cell in texts.cells.values()
            if cell.locked or cell.kind == "solution"
        }
        by_text.pop("", None)
        misplaced = self._misplaced() if texts.master.repairs else ()
        for entry in self._entries:
            handed = entry.handed
            cell = entry.cell
            if not cell:
                copied = texts.cells.get(handed.name)
                has_own_answer = copied and not copied.locked
                if copied and has_own_answer and texts.is_answered(handed, copied):
                    if texts.level(handed, copied):
                        changes["several"].append(copied.id)
                    copied = None
                copied = copied or by_text.get(handed.text.plain)
                if copied and texts.master.repairs:
                    helpers = self._helpers_of_stub(handed, copied)
                    if helpers.code:
                        yield PlannedCell(SubmittedCell(helpers))
                    elif copied.id not in changes["elsewhere"]:
                        changes["copies"].append(copied.id)
                    continue
            elif cell.id in misplaced:
                changes["moved"].append(cell.id)
                continue
            else:
                if handed.name != cell.id and cell.id not in changes["elsewhere"]:
                    changes["matched"].append(cell.id)
                if cell.locked and not texts.is_untouched(handed, cell):
                    changes["restored"].append(cell.id)
                elif handed.kind != cell.nbgrader["cell_type"]:
                    changes["text"].append(cell.id)
            yield entry

    def _helpers_of_stub(self, handed: SubmittedCell, exercise: Cell) -> CellText:
        """Return the given code in an unused stub that the answer does not define."""
        if exercise.kind != "solution":
            return EMPTY_CELL.text
        answers = (e.handed for e in self._entries if e.cell == exercise)
        answer = next(answers, EMPTY_CELL)
        functions = stub_of(exercise).functions_to_write
        written = answer.text.signatures.union(each.signature for each in functions)
        helpers = [
            block
            for block in handed.text.blocks
            if block.binds and block.signature not in written
        ]
        return CellText.parse(joined(helpers).strip("\n"))

    def _misplaced(self) -> set[str]:
        """Return the tests above code that they need, and given code out of order."""
        order = self._texts.order
        cells = [entry.cell for entry in self._entries if entry.cell]
        others = [cell for cell in cells if cell.kind != "test"]
        stay = _in_order([order[cell.id] for cell in others])
        locked = {cell.id for cell in others if cell.locked}
        wrong = {name for name in locked if order[name] not in stay}
        in_order = locked - wrong
        for position, test in enumerate(cells):
            if test.kind != "test":
                continue
            for cell in cells[position:]:
                is_exercise = cell.id == test.exercise
                is_earlier = order[cell.id] < order[test.id]
                if is_exercise or (is_earlier and cell.id in in_order):
                    wrong.add(test.id)
        return wrong

    def _complete(self, additions: Collection[str]) -> Iterator[PlannedCell]:
        """Yield all cells, each absent one after the cell before it in the source."""
        entries = list(self._in_place())
        present = {entry.cell.id for entry in entries if entry.cell}
        absent: dict[str, list[PlannedCell]] = {}  # by the cell that they come after
        name = ""
        for cell in self._texts.cells.values():
            if cell.id in present:
                name = cell.id
                continue
            absent.setdefault(name, []).append(PlannedCell(EMPTY_CELL, cell))
            if cell.kind in ("solution", "task"):
                if cell.id not in additions:
                    self._changes["lost"].append(cell.id)
            elif cell.id not in self._changes["moved"]:
                self._changes["missing"].append(cell.id)
        yield from absent.get("", ())
        for entry in entries:
            yield entry
            if entry.cell:
                yield from absent.get(entry.cell.id, ())


def _in_order(ranks: list[int]) -> set[int]:
    """Return the source positions that stay in place if as few as possible move."""
    matcher = SequenceMatcher(None, ranks, sorted(ranks))
    return {
        rank
        for match in matcher.get_matching_blocks()
        for rank in ranks[match.a : match.a + match.size]
    }


# ---- cells as the notebook format has them -------------------------------------------


def _to_raw_cell(
    handed: SubmittedCell,
    cell: Cell | None,
    budget: sanitize.DisplayBudget,
) -> RawCell:
    """Return a cell in the notebook format; only an answer's text is the student's."""
    text = handed.text.text
    kind = handed.kind
    id = handed.id
    new: RawCell = {"metadata": {}}
    if cell:
        kind = cell.nbgrader["cell_type"]
        id = cell.cell_id
        new["metadata"]["nbgrader"] = dict(cell.nbgrader)
    if kind == "code":
        new |= {"outputs": [], "execution_count": None}
    else:  # a page would run HTML in it, even in a raw cell
        attached = sanitize.attachments(handed.attachments, budget)
        text = sanitize.markdown(text, attached, budget)
        if attached and kind == "markdown":
            new["attachments"] = attached
    source = cell.source if cell and cell.locked else text
    return new | {
        "cell_type": kind,
        "id": id,
        "source": source,
    }


def _with_ids(cells: list[RawCell]) -> list[RawCell]:
    """Give every cell a valid and unique id, never the name of a master's cell."""
    taken = {
        name
        for cell in cells
        if grade_id(cell)
        for name in (cell["id"], grade_id(cell))
    }
    for number, cell in enumerate(cells):
        if grade_id(cell):
            continue
        name = cell["id"]
        if name in taken or not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
            name = f"own-{number}"
        while name in taken:
            name += "x"
        cell["id"] = name
        taken.add(name)
    return cells
