"""The order in which cells of a notebook are run and its tests are judged."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection
from dataclasses import dataclass

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
        The code to run; empty for a test.
    index
        The cell's place in the submission, if it is one of the student's own.
    test
        The test cell.
    exercise
        The exercise whose solution this is.
    """

    name: str
    source: str = ""
    index: int | None = None
    test: Cell | None = None
    exercise: str | None = None


def own_notebook(job: Job, outer: Collection[str] = ()) -> list[Step]:
    """Plan the student's notebook as it is.

    A test cell is judged where it stands in the submission. One that was deleted, or
    moved before its exercise, is judged right after the solution cell; without that,
    at the end. Cells that the source marks to be skipped are not run, unless the
    student has changed them: they may now define what an answer needs.

    Parameters
    ----------
    job
        The submission.
    outer
        `Tests.outer`.
    """
    known = {cell.id: cell for cell in job.cells}
    steps: list[Step] = []
    placed: set[str] = set()
    for cell in job.student:
        ours = known.get(cell.id or "")
        if ours is None or ours.kind in ("provided", "solution"):
            if ours is None or not (ours.skip and cell.source == ours.stub):
                steps.append(_own(cell, ours))
        elif ours.kind == "test" and ours.id not in placed and _may_stand(ours, steps):
            steps.append(Step(ours.id, test=ours))
            placed.add(ours.id)
    for test in job.cells:
        if test.kind == "test" and test.id not in placed:
            place = _solution_at(steps, test)
            if place is None:
                place = len(steps) - 1
            while place + 1 < len(steps) and _is_of(steps[place + 1], test):
                place += 1
            steps.insert(place + 1, Step(test.id, test=test))
    return _with_definitions(steps, outer)


def follow_through(
    job: Job, exercise: str, tests: set[str], outer: Collection[str] = ()
) -> list[Step]:
    """Plan a notebook where every exercise but one is the reference solution.

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
    for ours in job.cells:
        if ours.id == exercise:
            if exercise in own:
                steps.append(_own(own[exercise], ours))
        elif ours.kind in ("provided", "solution"):
            if not ours.skip:
                steps.append(Step(f"reference of {ours.id}", ours.source))
        elif ours.kind == "test":
            steps.append(Step(ours.id, test=ours))
        steps += [_own(cell, None) for cell in extras.get(ours.id, [])]
    steps = _with_definitions(steps, outer)
    judged = {c.id for c in job.cells if c.id in tests and c.where == "judge"}
    return [step for step in steps if step.test is None or step.name in judged]


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
                complete.append(Step(f"definitions of {step.name}", text))
        complete.append(step)
    return complete[::-1]


def _of_use(test: Cell, words: set[str], outer: Collection[str]) -> str:
    tree = parse(test.stub)
    names = (n for n in outside(tree) if isinstance(n, ast.Name))
    made = {name.id for name in names if isinstance(name.ctx, ast.Store)}
    if made & words & set(outer):
        return test.stub
    defined = definitions_of(tree)
    # ``from … import *`` may bring any name.
    return ast.unparse(defined) if bound_by(defined) & (words | {"*"}) else ""


def _own(cell: StudentCell, ours: Cell | None) -> Step:
    exercise = ours.id if ours is not None and ours.kind == "solution" else None
    name = ours.id if ours is not None else f"cell {cell.index + 1}"
    return Step(name, cell.source, cell.index, exercise=exercise)


def _solution_at(steps: list[Step], test: Cell) -> int | None:
    places = (
        n for n, s in enumerate(steps) if s.exercise and s.exercise == test.exercise
    )
    return max(places, default=None)


def _may_stand(test: Cell, steps: list[Step]) -> bool:
    return test.exercise is None or _solution_at(steps, test) is not None


def _is_of(step: Step, test: Cell) -> bool:
    return step.test is not None and step.test.exercise == test.exercise
