"""The order in which cells of a notebook are run and its tests are judged."""

from __future__ import annotations

import re
from dataclasses import dataclass

from nbproctor.judge.compiled import Tests
from nbproctor.notebook import Cell
from nbproctor.results import Job, StudentCell

_WORD = re.compile(r"[^\W\d]\w*")
# A line that neither imports nor defines anything, nor goes on with one that does.
_ACTS = re.compile(
    r"^(?!(?:async +)?def |class |import |from )[^\s@#\"'\])}]", re.MULTILINE
)


@dataclass(frozen=True)
class Step:
    """One thing to do: run code in the student process, or judge a test cell."""

    name: str  # what the cell is called in messages
    source: str = ""  # to run in the student's process; empty for a test
    index: int | None = None  # the cell's place, if it is one of the student's own
    test: Cell | None = None
    exercise: str | None = None  # the exercise whose solution this is
    # Functions of reference solutions that the student's process gets first.
    lends: frozenset[str] = frozenset()


@dataclass(frozen=True)
class References:
    """The cells of the source up to an exercise, and which functions of them are lent.

    Those run in a process of their own: see `processes.StudentProcesses`.
    """

    cells: tuple[str, ...] = ()
    functions: frozenset[str] = frozenset()


def own_notebook(job: Job, tests: Tests) -> list[Step]:
    """Plan the student's notebook as it is.

    A test cell is judged where it stands in the submission; one that was deleted, or
    moved before its exercise, right after the solution cell, or else at the end. None
    is judged before one that stands above it in the source: an object that it hands
    over might answer there. Cells that the source marks to be skipped are run if the
    student has changed them.
    """
    masters = {cell.id: cell for cell in job.cells}
    steps: list[Step] = []
    stands: dict[str, int] = {}  # test → how many steps stand above it
    for cell in job.student:
        master = masters.get(cell.id or "")
        if master is None or master.kind in ("provided", "solution"):
            if master is None or not (master.skip and cell.source == master.stub):
                steps.append(_own(cell, master))
        elif master.kind == "test":
            stands.setdefault(master.id, len(steps))
    solved = {step.exercise: n for n, step in enumerate(steps, 1) if step.exercise}
    planned: list[Step] = []
    done = 0
    for test in (cell for cell in job.cells if cell.kind == "test"):
        of = test.exercise
        first = solved.get(of, len(steps)) if of else 0
        place = max(first, stands.get(test.id, first if of else len(steps)))
        planned += [*steps[done:place], Step(test.id, test=test)]
        done = max(done, place)
    return _with_definitions(planned + steps[done:], tests)


def among_references(
    job: Job, exercise: str, tests: Tests
) -> tuple[list[Step], References]:
    """Plan an exercise alone, with right functions of the exercises before it.

    These are lent where a reference solution defines nothing but functions, and not
    what the answer on trial defines anew. No other answer runs; the student's cells
    that belong to no exercise come after the cell that they follow in the submission.
    The plan ends with the last test of the exercise. There is none without a reason.
    """
    masters = {cell.id: cell for cell in job.cells}
    extras: dict[str, list[StudentCell]] = {}
    answer: StudentCell | None = None
    before = ""
    for cell in job.student:
        if cell.id in masters:
            before = str(cell.id)
            answer = cell if before == exercise and answer is None else answer
        else:
            extras.setdefault(before, []).append(cell)
    blank = masters[exercise].stub
    if answer is None or answer.source == blank != masters[exercise].source:
        return [], References()
    steps = [_own(cell, None) for cell in extras.get("", [])]
    cells: list[str] = []
    lent: frozenset[str] = frozenset()
    judged: list[Cell] = []
    before_it = True
    for ours in job.cells:
        if ours.id == exercise:
            before_it = False
            steps.append(_own(answer, ours))
        elif ours.kind == "provided" and not ours.skip:
            steps.append(Step(f"provided {ours.id}", ours.stub))
        elif ours.kind == "test":
            steps.append(Step(ours.id, test=ours))
            if ours.exercise == exercise and ours.points and ours.where == "judge":
                judged.append(ours)
        elif before_it and ours.id in tests.functions:
            names = tests.functions[ours.id] - _defined(answer.source)
            steps.append(Step(f"functions of {ours.id}", lends=names))
            lent |= names
        if before_it and ours.kind in ("provided", "solution") and not ours.skip:
            cells.append(ours.source)
        steps += [_own(cell, None) for cell in extras.get(ours.id, [])]
    code = [answer, *(cell for some in extras.values() for cell in some)]
    borrows = any(lent.intersection(_WORD.findall(cell.source)) for cell in code)
    if not borrows and not _is_in_the_way(job, answer, tests):
        return [], References()
    steps = _with_definitions(steps, tests)
    steps = [step for step in steps if step.test is None or step.test in judged]
    while steps and steps[-1].test is None:
        steps.pop()
    return steps, References(tuple(cells), lent)


def _is_in_the_way(job: Job, answer: StudentCell, tests: Tests) -> bool:
    """Whether another cell may have broken what an answer stands on.

    It does more than to define, or defines what the answer uses and no reference does.
    """
    given = {source for cell in job.cells for source in (cell.source, cell.stub)}
    words = set(_WORD.findall(answer.source)) - tests.answers
    return any(
        _ACTS.search(cell.source) or words & _defined(cell.source)
        for cell in job.student
        if cell.id != answer.id and cell.source not in given
    )


def _defined(source: str) -> set[str]:
    """Return the names that lines at the left edge of a cell define or assign."""
    pattern = r"^(?:(?:async +)?def|class) +(\w+)|^(\w+) *="
    found = re.finditer(pattern, source, re.MULTILINE)
    return {match[1] or match[2] for match in found}


def _with_definitions(steps: list[Step], tests: Tests) -> list[Step]:
    """Add what students' cells may use of the test cells above them, as in a kernel.

    That is what their visible part defines, or all of it if the source reads a value.
    """
    words: set[str] = set()
    complete: list[Step] = []
    for step in reversed(steps):
        words.update(_WORD.findall(step.source))
        if step.test is not None and words:
            test = tests.cells[step.test.id]
            # ``from … import *`` may bring any name.
            text = test.seen_definitions if test.seen_binds & (words | {"*"}) else ""
            if test.seen_makes & words & tests.outer:
                text = step.test.stub
            if text:
                complete.append(Step(f"definitions of {step.name}", text))
        complete.append(step)
    return complete[::-1]


def _own(cell: StudentCell, master: Cell | None) -> Step:
    exercise = master.id if master is not None and master.kind == "solution" else None
    name = master.id if master is not None else f"cell {cell.index + 1}"
    source = cell.source
    given = master is not None and master.kind == "provided" and master.nbgrader
    if master is not None and given and source == master.source:
        source = master.stub  # without the parts that are hidden from students
    return Step(name, source, cell.index, exercise=exercise)
