"""The order in which cells of a notebook are run and its tests are judged."""

from __future__ import annotations

import builtins
from collections import Counter, defaultdict
from collections.abc import (
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
    Set,
)
from dataclasses import dataclass, field, replace

from nbproctor.cells import CellText
from nbproctor.judge.compiled import WORD, Tests, union, used_in
from nbproctor.judge.exports import ReferenceFunction
from nbproctor.notebook import Cell
from nbproctor.results import Job, StudentCell


@dataclass(frozen=True)
class Step:
    """One step: run code in the student process, or judge a test cell."""

    name: str  # the name of the cell in messages
    source: str = ""  # to run in the student's process; empty for a test
    index: int | None = None  # the cell's place, if it is one of the student's own
    test: Cell | None = None
    exercise: str | None = None  # the exercise whose solution this is
    # Functions of reference solutions that the student's process gets first.
    reference_functions: Collection[str] = ()
    keeps_names: bool = False  # whether names that it removes are restored
    defines: str = ""  # the test cell whose definitions these are


@dataclass(frozen=True)
class References:
    """The cells of the source up to an exercise, and its reference functions.

    These run in a separate process: see `processes.StudentProcesses`. Objects that are
    `judge_functions` run in the judge.
    """

    cells: Sequence[str] = ()
    functions: Collection[str] = ()
    judge_functions: Mapping[str, ReferenceFunction] = field(default_factory=dict)


def plan_notebook(job: Job, tests: Tests) -> list[Step]:
    """Plan the run of the student's notebook.

    A test cell is judged at its position in the submission. A test cell that was
    deleted, or moved before its exercise, is judged right after the solution cell, or
    else at the end. No test is judged before one that is above it in the source,
    because an object that it passes might be an answer there. Cells that the source
    marks to be skipped are run if the student has changed them.
    """
    masters = {cell.id: cell for cell in job.cells}
    steps = []
    steps_above: dict[str, int] = {}  # test → number of steps above it
    for cell in job.student:
        master = masters.get(cell.id or "")
        if not master:
            steps.append(_student_step(cell))
        elif master.kind == "test":
            steps_above.setdefault(master.id, len(steps))
        elif master.kind in ("provided", "solution"):
            is_skipped = master.skip and cell.source == master.stub
            if not is_skipped:
                steps.append(_student_step(cell, master))
    solved = {  # exercise → number of steps up to its last solution cell
        step.exercise: number for number, step in enumerate(steps, 1) if step.exercise
    }
    planned = []
    done = 0
    for test in job.cells:
        if test.kind != "test":
            continue
        first = solved.get(test.exercise, len(steps)) if test.exercise else 0
        position = max(first, steps_above.get(test.id, first or len(steps)))
        planned += steps[done:position]
        planned.append(Step(test.id, test=test))
        done = max(done, position)
    planned += steps[done:]
    return _with_definitions(planned, tests)


def with_second_runs(
    steps: Sequence[Step], judge_again: Callable[[Cell, frozenset[str]], object]
) -> Iterator[Step]:
    """Yield a plan; call `judge_again` right after each test of an exercise.

    It gets the test, and the exercises that have tests still to come. So a test has its
    second run before the first run of any later test. An object that a later test
    passes to student code cannot help with an earlier test, even if one process could
    leave a message for another.
    """
    coming = Counter(step.test.exercise for step in steps if step.test)
    for step in steps:
        yield step
        test = step.test
        if test and test.exercise:
            coming[test.exercise] -= 1
            unfinished = frozenset(filter(None, +coming))
            judge_again(test, unfinished)


def follow_through_plan(
    job: Job,
    exercise: str,
    tests: Tests,
    unfinished: Collection[str],
) -> tuple[list[Step], References]:
    """Plan an exercise alone, with correct functions of the exercises before it.

    A function is used as a reference if its solution defines nothing but functions, if
    the exercise on trial does not define it again, and if its own exercise is not
    `unfinished`, that is, has no tests still to come. No other answer runs. The
    student's cells that belong to no exercise come after the cell that they follow in
    the submission. The plan ends with the last test of the exercise that may gain. It
    is empty if the answer is missing or blank.
    """
    masters = {cell.id: cell for cell in job.cells}
    solutions = _solutions_of(exercise, job.cells)
    extras = defaultdict(list)  # by the cell above them
    answers: dict[str, StudentCell] = {}
    above = ""
    for cell in job.student:
        if cell.id in masters:
            above = cell.id
            if above in solutions:
                answers.setdefault(above, cell)
        else:
            # It is no answer, so it takes no name from others.
            extras[above].append(replace(_student_step(cell), keeps_names=True))
    if all(
        cell.source == masters[name].stub != masters[name].source
        for name, cell in answers.items()
    ):
        return [], References()  # nothing but stubs
    own_texts = [masters[name].source for name in solutions]
    own_texts += [cell.source for cell in answers.values()]
    own_names = union(CellText.parse(text).names for text in own_texts)
    unusable = union(_solutions_of(name, job.cells) for name in unfinished)
    usable = tests.functions.keys() - unusable
    references = []
    reference_functions = set[str]()
    steps = extras[""]
    is_above = True
    for name, master in masters.items():
        is_above = is_above and name not in solutions
        if is_above and master.kind in ("provided", "solution") and not master.skip:
            references.append(master.source)
        if name in answers:
            steps.append(_student_step(answers[name], master))
        elif master.kind == "provided" and not master.skip:
            steps.append(Step(f"provided {name}", master.stub))
        elif master.kind == "test":
            steps.append(Step(name, test=master))
        elif is_above and name in usable:
            functions = tests.functions[name] - own_names
            reference_functions |= functions
            step_name = f"functions of {name}"
            steps.append(Step(step_name, reference_functions=functions))
        steps += extras[name]
    planned = [
        step
        for step in _with_definitions(steps, tests)
        if not step.test or _may_gain(step.test, exercise, tests, reference_functions)
    ]
    while planned and not planned[-1].test:
        planned.pop()
    read = used_in(tests.cells[step.name].program for step in planned if step.test)
    read |= union(WORD.findall(s.source) for s in planned if s.index is not None)
    if reference_functions.isdisjoint(read):
        reference_functions = set()  # nobody can call one, so none is made ready
    return planned, References(references, reference_functions)


def _may_gain(
    test: Cell,
    exercise: str,
    tests: Tests,
    reference_functions: Set[str],
) -> bool:
    """Whether a test may give points that an exercise earns by other functions.

    One that reads only references says nothing about this exercise. The tools of a test
    may find methods by their name in a text, so what they read is known of functions
    only.
    """
    is_graded_here = test.points and test.where == "judge"
    if test.exercise != exercise or not is_graded_here:
        return False
    own_reads = tests.cells[test.id].program.uses
    own_reads -= vars(builtins).keys() | dict(tests.imports).keys()
    if own_reads and own_reads <= reference_functions:
        return False
    if exercise not in tests.functions:
        return True
    reads = used_in(tests.programs_of(test.id)) & tests.solution_names
    return not reads or not reads <= reference_functions


def _solutions_of(exercise: str, cells: Iterable[Cell]) -> list[str]:
    """Return the solution cells of an exercise; no test is between them."""
    solutions: list[str] = []
    has_test = False
    for cell in cells:
        if cell.kind == "solution":
            solutions = [cell.id] if has_test else [*solutions, cell.id]
            has_test = cell.points > 0  # graded by hand, it is an exercise of its own
            if cell.id == exercise:
                break
        elif cell.exercise is not None:
            has_test = True
    return solutions


def _with_definitions(steps: list[Step], tests: Tests) -> list[Step]:
    """Add what students' cells may use of the test cells above them, as in a kernel.

    That is what their visible part defines, or all of it if the source reads a value.
    """
    words = set()
    complete = []
    for step in reversed(steps):
        words.update(WORD.findall(step.source))
        if step.test and words:
            test = tests.cells[step.test.id]
            text = ""
            # ``from … import *`` may bring any name.
            if test.visible_bindings & (words | {"*"}):
                text = test.visible_definitions
            if test.visible_variables & words & tests.names_from_tests:
                text = step.test.stub
            if text:
                name = f"definitions of {step.name}"
                complete.append(Step(name, text, defines=step.name))
        complete.append(step)
    return complete[::-1]


def _student_step(cell: StudentCell, master: Cell | None = None) -> Step:
    name = f"cell {cell.index + 1}"
    source = cell.source
    exercise = None
    if master:
        name = master.id
        if master.kind == "solution":
            exercise = master.id
        elif master.nbgrader and source == master.source:
            source = master.stub  # without the parts that are hidden from students
    return Step(
        name=name,
        source=source,
        index=cell.index,
        exercise=exercise,
    )
