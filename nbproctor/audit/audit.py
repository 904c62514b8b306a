"""Audit of an assignment's tests, by solutions that are known to be right or wrong.

A right solution must keep every point. A wrong one must lose some, and so must every
mutant of the reference solution. `variants` reads the solutions, `trials` executes
them, and `result` has the results and writes the report.
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
from nbproctor.audit.variants import Trial, Variants
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
    exercise: str = "",
) -> AuditResult:
    """Audit the tests of an assignment, or those of one exercise.

    Parameters
    ----------
    masters : sequence of MasterNotebook
        The notebooks of the assignment.
    settings : Settings
        How they are graded; layers of the sandbox may be missing.
    source : Path
        The folder of the notebooks.
    folder : Path
        ``variants/<assignment>``, which need not exist.
    checks : sequence of Check, optional
        Other results, for the same report.
    progress : callable, optional
        Called after each solution, from any thread.
    exercise : str, optional
        The only exercise to audit.

    Raises
    ------
    AuditError
        The exercise is unknown, the assignment's own solutions do not run, or a worker
        has died.
    """
    start = time.monotonic()
    assignment = masters[0].assignment
    references = {
        cell.id: cell.source
        for master in masters
        for cell in master.of_kind("solution")
    }
    if exercise not in ("", *references):
        raise AuditError(
            f"There is no exercise {exercise!r} in {assignment}. Its exercises: "
            f"{', '.join(references)}."
        )
    variants = Variants.read(folder, references)
    exercises = [exercise] if exercise else list(references)
    solutions = [trial for trial in variants.trials if trial.exercise in exercises]
    all_checks = list(checks)
    entries = []
    hints = _hints(solutions, folder)
    settings = replace(
        settings,
        policy=replace(settings.policy, weak=True),  # the code is the teacher's own
        follow_through=False,
    )
    tests = {
        name: {
            cell.id: cell.points
            for master in masters
            for cell in master.cells
            if cell.exercise == name and cell.points
        }
        for name in exercises
    }
    for master in masters:
        with Pool(1) as pool:
            all_checks += _whole_notebooks(
                master=master,
                settings=settings,
                pool=pool,
            )
        with temporary_copy(source) as folder_copy:
            tried, borrowed_answers = trials.run_trials(
                master=master,
                folder=folder_copy,
                trials=solutions,
                oracles=variants.oracles,
                settings=settings,
                progress=progress,
            )
        all_checks += _check_borrowed_answers(master, borrowed_answers)
        entries += tried
    hints += [
        f"no test enters a branch of {entry.location or entry.name}: {branch}"
        for entry in entries
        for branch in entry.untried
        if entry.kind != "mutant"
    ]
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
    """Check that the master earns every point, and a blank notebook none.

    Both are graded like submissions. If the master has specifications, an added test
    checks the sentences of their mistakes.
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
    for name, graded in (("master", proven), ("blank", master)):
        is_reference = name == "master"
        cells = [
            StudentCell(
                index=index,
                id=cell.id,
                source=cell.source if is_reference or cell.locked else cell.stub,
            )
            for index, cell in enumerate(master.cells)
            if cell.kind in ("provided", "solution", "test")
        ]
        try:
            report = pool.execute(
                Execution(
                    cells=cells,
                    master=graded,
                    settings=settings,
                )
            ).result()
        except ExecutionError as error:
            yield Check(
                name=name,
                passed=False,
                finding=str(error),
            )
            continue
        verdicts = {verdict.cell_id: verdict for verdict in report.verdicts}
        proof = verdicts.pop(SENTENCES, None)
        earned = sum(verdict.points for verdict in verdicts.values())
        failed = [v for v in verdicts.values() if v.outcome != "passed"]
        text = f"{earned:g} of {most:g} points"
        if failed and earned:
            first = failed[0]
            text += f"; {first.cell_id}: {first.message}"
        has_all_points = earned == most and not failed
        yield Check(
            name=name,
            passed=has_all_points if is_reference else not earned,
            finding=text,
        )
        if proof:
            yield Check(
                name=SENTENCES,
                passed=not proof.message,
                finding=proof.message or "each is said of its own formula",
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
) -> Iterator[Check]:
    """Check that no object that a test passes to student code solves an exercise."""
    name = f"test arguments in {master.notebook}"
    faults = [borrowed for borrowed in borrowed_answers if borrowed.says]
    for borrowed in faults:
        yield Check(
            name=name,
            passed=False,
            finding=f"{borrowed.name} gives away {borrowed.exercise}: {borrowed.says}. "
            "Tests must not pass a correct answer to student code "
            "(docs/tests.md).",
        )
    if borrowed_answers and not faults:
        calls = len({borrowed.name for borrowed in borrowed_answers})
        yield Check(
            name=name,
            passed=True,
            finding=f"{calls} calls, and none passes a correct answer to student code",
        )


def _hints(solutions: Sequence[Trial], folder: Path) -> list[str]:
    """Return a hint to write solutions for exercises that have only mutants."""
    kinds: dict[str, set[str]] = {}
    for trial in solutions:
        kinds.setdefault(trial.exercise, set()).add(trial.kind)
    bare = [name for name in kinds if kinds[name] == {"reference", "mutant"}]
    if not bare:
        return []
    exercise_folder = folder / bare[0]
    return [
        f"Only mutants were tried for {', '.join(bare)}. To check that correct "
        "solutions keep every point and incorrect ones lose some, put correct ones "
        f"into {exercise_folder / 'right'} (one per file) and incorrect ones into "
        f"{exercise_folder / 'wrong.toml'}."
    ]
