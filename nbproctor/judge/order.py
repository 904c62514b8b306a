"""The order in which cells of a notebook are run and its tests are judged."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from nbproctor.markers import bound_by, definitions_of, outside, parse
from nbproctor.notebook import Cell
from nbproctor.results import Job, StudentCell


@dataclass(frozen=True)
class Step:
    """One thing to do: run code in the student process, or judge a test cell.

    Attributes
    ----------
    name
        What the cell is called in messages.
    source
        The code to run in the student's process; empty for a test.
    index
        The cell's place in the submission, if it is one of the student's own.
    test
        The test cell.
    exercise
        The exercise whose solution this is.
    reference
        The teacher's code to run in the process of the references, if there is one.
    """

    name: str
    source: str = ""
    index: int | None = None
    test: Cell | None = None
    exercise: str | None = None
    reference: str = ""


def own_notebook(job: Job, outer: Collection[str] = ()) -> list[Step]:
    """Plan the student's notebook as it is.

    A test cell is judged where it stands in the submission. One that was deleted, or
    moved before its exercise, is judged right after the solution cell; without that,
    at the end. None is judged before a test of another exercise that stands above it
    in the source: an object that it hands over might answer there. Cells that the
    source marks to be skipped are not run, unless the student has changed them: they
    may now define what an answer needs.

    Parameters
    ----------
    job
        The submission.
    outer
        `Tests.outer`.
    """
    masters = {cell.id: cell for cell in job.cells}
    steps: list[Step] = []
    placed: set[str] = set()
    for cell in job.student:
        master = masters.get(cell.id or "")
        if master is None or master.kind in ("provided", "solution"):
            if master is None or not (master.skip and cell.source == master.stub):
                steps.append(_own(cell, master))
        elif (
            master.kind == "test"
            and master.id not in placed
            and _may_stand(master, steps)
        ):
            steps.append(Step(master.id, test=master))
            placed.add(master.id)
    for test in job.cells:
        if test.kind == "test" and test.id not in placed:
            position = _solution_at(steps, test)
            if position is None:
                position = len(steps) - 1
            while position + 1 < len(steps) and _is_of(steps[position + 1], test):
                position += 1
            steps.insert(position + 1, Step(test.id, test=test))
    return _with_definitions(_in_order(steps, job), outer)


def _in_order(steps: list[Step], job: Job) -> list[Step]:
    """Put off tests that stand above one of another exercise that comes before them."""
    rank = {cell.id: n for n, cell in enumerate(job.cells)}
    tests = [step.test for step in steps if step.test is not None]
    if tests == sorted(tests, key=lambda test: rank[test.id]):
        return steps
    ordered: list[Step] = []
    waiting: list[Cell] = []
    for step in steps:
        if step.test is None:
            ordered.append(step)
            continue
        waiting.append(tests.pop(0))
        waiting.sort(key=lambda test: rank[test.id])
        while waiting and not any(
            rank[ahead.id] < rank[waiting[0].id]
            and ahead.exercise != waiting[0].exercise
            for ahead in tests
        ):
            test = waiting.pop(0)
            ordered.append(Step(test.id, test=test))
    return ordered


def among_references(
    job: Job, exercise: str, outer: Collection[str] = ()
) -> list[Step]:
    """Plan a notebook where every exercise but one is the reference solution.

    It ends with the last test of the exercise: what comes later cannot matter to it.
    The student's cells that belong to no exercise come after the cell that they follow
    in the submission. The reference of `exercise` is not part of the plan.
    """
    known = {cell.id: cell for cell in job.cells}
    extras: dict[str, list[StudentCell]] = {}
    own: dict[str, StudentCell] = {}
    before = ""
    for cell in job.student:
        if cell.id in known:
            before = str(cell.id)
            own.setdefault(before, cell)
        else:
            extras.setdefault(before, []).append(cell)
    steps = [_own(cell, None) for cell in extras.get("", [])]
    for master in job.cells:
        if master.id == exercise:
            if exercise in own:
                steps.append(_own(own[exercise], master))
        elif master.kind == "solution":
            steps.append(Step(f"reference of {master.id}", reference=master.source))
        elif master.kind == "provided" and not master.skip:
            steps.append(
                Step(f"provided {master.id}", master.stub, reference=master.source)
            )
        elif master.kind == "test":
            steps.append(Step(master.id, test=master))
        steps += [_own(cell, None) for cell in extras.get(master.id, [])]
    steps = [s for s in _with_definitions(steps, outer) if _is_judged(s, exercise)]
    while steps and steps[-1].test is None:
        steps.pop()
    return steps


def _is_judged(step: Step, exercise: str) -> bool:
    test = step.test
    return test is None or (scores(test, exercise) and test.where == "judge")


def _with_definitions(steps: list[Step], outer: Collection[str]) -> list[Step]:
    """Add what students' cells may use of the test cells above them, as in a kernel.

    That is what the part of a test cell that students see imports and defines; or all
    of that part, where the source's own cells read a value that it makes.
    """
    words: set[str] = set()
    complete: list[Step] = []
    for step in reversed(steps):
        words.update(re.findall(r"[^\W\d]\w*", step.source))
        if step.test is not None and words:
            text = _of_use(step.test, words, outer)
            if text:
                complete.append(
                    Step(f"definitions of {step.name}", text, reference=text)
                )
        complete.append(step)
    return complete[::-1]


def _of_use(test: Cell, words: set[str], outer: Collection[str]) -> str:
    stub, read = test.stub, words & set(outer)
    # To parse a test takes a judge longer than to run it, and most need not be.
    makes = not stub.isascii() or any(name in stub for name in read)
    if not makes and not any(word in stub for word in ("import", "def", "class")):
        return ""
    made, bound, definitions = _public(stub)
    if made & read:
        return stub
    # ``from … import *`` may bring any name.
    return definitions if bound & (words | {"*"}) else ""


@lru_cache(maxsize=1000)
def _public(stub: str) -> tuple[frozenset[str], frozenset[str], str]:
    """Return the names that a text assigns, those that it defines, and how."""
    tree = parse(stub)
    names = (n for n in outside(tree) if isinstance(n, ast.Name))
    made = frozenset(name.id for name in names if isinstance(name.ctx, ast.Store))
    defined = definitions_of(tree)
    return made, frozenset(bound_by(defined)), ast.unparse(defined)


def scores(cell: Cell, exercise: str) -> bool:
    """Whether a cell is a test that gives points for an exercise."""
    return cell.kind == "test" and cell.exercise == exercise and cell.points > 0


def _own(cell: StudentCell, master: Cell | None) -> Step:
    exercise = master.id if master is not None and master.kind == "solution" else None
    name = master.id if master is not None else f"cell {cell.index + 1}"
    source = cell.source
    if master is not None and master.kind == "provided" and source == master.source:
        source = master.stub  # without the parts that are hidden from students
    return Step(name, source, cell.index, exercise=exercise)


def _solution_at(steps: list[Step], test: Cell) -> int | None:
    places = (
        n for n, s in enumerate(steps) if s.exercise and s.exercise == test.exercise
    )
    return max(places, default=None)


def _may_stand(test: Cell, steps: list[Step]) -> bool:
    return test.exercise is None or _solution_at(steps, test) is not None


def _is_of(step: Step, test: Cell) -> bool:
    return step.test is not None and step.test.exercise == test.exercise
