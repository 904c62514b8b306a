"""Audit of an assignment's tests, by solutions that are known to be right or wrong.

A right solution must keep every point, a wrong one must lose some, and so must every
small mistake in the reference solution. `variants` supplies the solutions, `trials`
executes them, and `result` holds and reports what follows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from nbproctor.audit import trials
from nbproctor.audit.result import AuditResult, Entry
from nbproctor.audit.trials import TrialError, TrialResult
from nbproctor.audit.variants import Variants
from nbproctor.engine import (
    EngineError,
    Execution,
    ExecutionError,
    Servers,
    Settings,
    execute,
)
from nbproctor.errors import NbproctorError
from nbproctor.markers import Markers
from nbproctor.notebook import MasterNotebook, copied, support_files
from nbproctor.results import Check, StudentCell
from nbproctor.sandbox.policy import Policy


class AuditError(NbproctorError):
    """The tests cannot be tried at all; the message says why and what to do."""


def audit(
    course: Path,
    assignment: str,
    checks: Sequence[Check] = (),
    progress: Callable[[TrialResult], object] = lambda result: None,
    exercise: str | None = None,
    markers: Markers = Markers(),  # noqa: B008 - it is frozen
    folders: tuple[Path, Path] | None = None,
) -> AuditResult:
    """Try the tests of an assignment, or those of one exercise.

    Reads ``source/<assignment>/`` and ``release/<assignment>/``, or these `folders`,
    and ``variants/<assignment>/``, which need not exist. `markers` are the course's;
    `checks` are reported with the rest; `progress` is called after each solution, from
    some thread. `AuditError`: assignment or exercise are unknown, or the assignment's
    solutions do not run.
    """
    start = time.monotonic()
    names = course / "source" / assignment, course / "release" / assignment
    source, release = folders or names
    if not (notebooks := sorted(source.glob("*.ipynb"))):
        raise AuditError(f"There is no notebook in {source}.")
    masters = [
        MasterNotebook.read(path, release / path.name, markers=markers)
        for path in notebooks
    ]
    references = {c.id: c.source for b in masters for c in b.of_kind("solution")}
    if exercise is not None and exercise not in references:
        raise AuditError(
            f"There is no exercise {exercise!r} in {assignment}. Its exercises: "
            f"{', '.join(references)}."
        )
    mine = course / "variants" / assignment
    variants = Variants.read(mine, references)
    wanted = {exercise} if exercise else references.keys()
    variants.trials = [t for t in variants.trials if t.exercise in wanted]
    all_checks = list(checks)
    comments = {c.id: c.stub for m in masters for c in m.of_kind("test")}
    results: list[TrialResult] = []
    for path, master in zip(notebooks, masters, strict=True):
        with copied(path.parent) as folder, Servers() as servers:
            files = support_files(folder, master.data)
            policy = Policy(files=tuple(files.items()), weak=True)
            try:
                results += trials.hold(
                    master, folder, variants.trials, variants.oracles, policy, progress
                )
            except TrialError as error:
                raise AuditError(f"{path}: {error}") from error
            settings = Settings(policy=policy, follow_through=False)
            all_checks += _whole_notebooks(master, settings, servers)
    return AuditResult(
        assignment=assignment,
        tests={
            name: tuple(c.id for c in b.cells if c.exercise == name and c.points)
            for b in masters
            for name in b.exercises
            if name in wanted
        },
        entries=tuple(
            Entry.of(result, comments)
            for result in results
            if result.trial.exercise in wanted
        ),
        checks=tuple(all_checks),
        problems=tuple(variants.problems),
        hints=tuple(_hints(variants, mine)),
        seconds=time.monotonic() - start,
    )


def _whole_notebooks(
    master: MasterNotebook, settings: Settings, servers: Servers
) -> list[Check]:
    """Grade as the class is graded: the master earns every point, a blank one none."""
    most = sum(cell.points for cell in master.of_kind("test"))
    checks = []
    for name, want in ("master", most), ("blank", 0.0):
        cells = [
            StudentCell(i, c.id, c.source if name == "master" or c.locked else c.stub)
            for i, c in enumerate(master.cells)
            if c.kind in ("provided", "solution", "test")
        ]
        try:
            report = execute(Execution(cells, master, settings), servers)
        except (ExecutionError, EngineError) as error:
            checks.append(Check(name, False, str(error)))
            continue
        got = sum(verdict.points for verdict in report.verdicts)
        failed = [v for v in report.verdicts if v.outcome != "passed"]
        text = f"{got:g} of {most:g} points"
        if failed and got:
            text += f"; {failed[0].cell_id}: {failed[0].message}"
        passed = got == want and (name == "blank" or not failed)
        checks.append(Check(name, passed, text))
    return checks


def _hints(variants: Variants, folder: Path) -> list[str]:
    tried = {trial.exercise for trial in variants.trials if trial.kind != "mutant"}
    every = dict.fromkeys(trial.exercise for trial in variants.trials)
    bare = [exercise for exercise in every if exercise not in tried]
    if not bare:
        return []
    return [
        f"Only mutants were tried for {', '.join(bare)}. Put right solutions into "
        f"{folder / bare[0] / 'right'}, one a file, and wrong ones into "
        f"{folder / bare[0] / 'wrong.toml'}, to see that no right one loses a point "
        f"and no wrong one keeps all."
    ]
