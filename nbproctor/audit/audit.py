"""Audit of an assignment's tests, by solutions that are known to be right or wrong.

A right solution must keep every point, a wrong one must lose some, and so must every
small mistake in the reference solution. `variants` supplies the solutions, `trials`
executes them, and `result` holds and reports what follows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from nbproctor.audit import trials
from nbproctor.audit.borrowers import BorrowedAnswer
from nbproctor.audit.result import AuditResult
from nbproctor.audit.trials import AuditError
from nbproctor.audit.variants import REFERENCE, Trial, Variants
from nbproctor.engine import Execution, ExecutionError, Pool, Settings
from nbproctor.notebook import Cell, MasterNotebook, temporary_copy
from nbproctor.results import Check, StudentCell


def audit(
    masters: Sequence[MasterNotebook],
    settings: Settings,
    source: Path,
    folder: Path,
    checks: Sequence[Check] = (),
    progress: Callable[[Trial], object] = lambda trial: None,
    exercise: str | None = None,
) -> AuditResult:
    """Audit the tests of an assignment, or those of one exercise.

    The notebooks in `source` are graded with `settings`, in whatever sandbox there is.
    `folder` is ``variants/<assignment>``, which need not exist. `checks` are reported
    with the rest. `progress` is called after each solution, from any thread.
    `AuditError`: the exercise is unknown, the assignment's own solutions do not run,
    or a worker has died.
    """
    start = time.monotonic()
    assignment = masters[0].assignment
    references = {
        cell.id: cell.source
        for master in masters
        for cell in master.of_kind("solution")
    }
    if exercise not in (None, *references):
        raise AuditError(
            f"There is no exercise {exercise!r} in {assignment}. Its exercises: "
            f"{', '.join(references)}."
        )
    variants = Variants.read(folder, references)
    exercises = [exercise] if exercise else list(references)
    variants.trials = [t for t in variants.trials if t.exercise in exercises]
    solutions = [
        Trial(
            exercise=name,
            kind=REFERENCE,
            name=REFERENCE,
            source=references[name],
        )
        for name in exercises
    ]
    solutions += variants.trials
    all_checks = list(checks)
    entries = []
    hints = _hints(variants, folder)
    settings = replace(
        settings,
        policy=replace(settings.policy, weak=True),  # the code is the teacher's own
        follow_through=False,
    )
    tests: dict[str, dict[str, float]] = {name: {} for name in exercises}
    for master in masters:
        for cell in master.cells:
            if cell.exercise in tests and cell.points:
                tests[cell.exercise][cell.id] = cell.points
        with Pool(1) as pool:
            all_checks += _whole_notebooks(master, settings, pool)
        with temporary_copy(source) as folder_copy:
            tried, borrowed_answers = trials.run_trials(
                master, folder_copy, solutions, variants.oracles, settings, progress
            )
        all_checks += _check_borrowed_answers(master, borrowed_answers)
        entries += tried
    for entry in entries:
        for branch in entry.untried if entry.kind != "mutant" else ():
            name = entry.place or entry.name
            hints.append(f"no test enters a branch of {name}: {branch}")
    return AuditResult(
        assignment=assignment,
        tests=tests,
        entries=entries,
        checks=all_checks,
        problems=variants.problems,
        hints=hints,
        seconds=time.monotonic() - start,
    )


def _whole_notebooks(
    master: MasterNotebook,
    settings: Settings,
    pool: Pool,
) -> Iterator[Check]:
    """Grade as the class is graded: the master earns every point, a blank one none.

    The last test of the master tries the sentences of its specifications.
    """
    proven = master
    if any("Specification" in cell.source for cell in master.cells):
        proof_test = Cell(
            id=SENTENCES,
            kind="test",
            source=_PROOF,
            points=1,
        )
        proven = master.with_cells([*master.cells, proof_test])
    most = sum(cell.points for cell in master.of_kind("test"))
    for name, expected in ("master", most), ("blank", 0.0):
        is_reference = name == "master"
        cells = []
        for index, cell in enumerate(master.cells):
            if cell.kind in ("provided", "solution", "test"):
                text = cell.source if is_reference or cell.locked else cell.stub
                cells.append(StudentCell(index, cell.id, text))
        graded = proven if is_reference else master
        try:
            report = pool.execute(Execution(cells, graded, settings)).result()
        except ExecutionError as error:
            yield Check(
                name=name,
                passed=False,
                found=str(error),
            )
            continue
        verdicts = {verdict.cell_id: verdict for verdict in report.verdicts}
        proof = verdicts.pop(SENTENCES, None)
        earned = sum(verdict.points for verdict in verdicts.values())
        failed = [v for v in verdicts.values() if v.outcome != "passed"]
        text = f"{earned:g} of {most:g} points"
        if failed and earned:
            text += f"; {failed[0].cell_id}: {failed[0].message}"
        yield Check(
            name=name,
            passed=earned == expected and not (is_reference and failed),
            found=text,
        )
        if proof:
            yield Check(
                name=SENTENCES,
                passed=not proof.message,
                found=proof.message or "each is said of its own formula",
            )


SENTENCES = "sentences of mistakes"
_PROOF = """
from nbproctor.expect import Specification, prove

specifications = [v for v in [*globals().values()] if isinstance(v, Specification)]
failures = [failure for each in specifications for failure in prove(each)]
assert not failures, "; ".join(failures)
"""


def _check_borrowed_answers(
    master: MasterNotebook, borrowed_answers: Sequence[BorrowedAnswer]
) -> list[Check]:
    """Check that no object that a test passes to student code solves an exercise."""
    faults = [
        f"{borrowed.name} gives away {borrowed.exercise}: {borrowed.says}. Tests must "
        "not pass a correct answer to student code (docs/new-assignment.md, section 3)."
        for borrowed in borrowed_answers
        if borrowed.says
    ]
    calls = len({borrowed.name for borrowed in borrowed_answers})
    sound = f"{calls} calls, and none passes a correct answer to student code"
    name = f"test arguments in {master.notebook}"
    return [
        Check(
            name=name,
            passed=not faults,
            found=text,
        )
        for text in faults or ([sound] if borrowed_answers else [])
    ]


def _hints(variants: Variants, folder: Path) -> list[str]:
    bare = dict.fromkeys(trial.exercise for trial in variants.trials)
    for trial in variants.trials:
        if trial.kind != "mutant":
            bare.pop(trial.exercise, None)
    if not bare:
        return []
    first = folder / next(iter(bare))
    return [
        f"Only mutants were tried for {', '.join(bare)}. To check that "
        "correct solutions keep every point and incorrect ones lose some, put correct "
        f"ones into {first / 'right'} (one per file) and incorrect ones "
        f"into {first / 'wrong.toml'}."
    ]
