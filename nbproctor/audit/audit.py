"""Audit of an assignment's tests, by solutions that are known to be right or wrong.

A right solution must keep every point, a wrong one must lose some, and so must every
small mistake in the reference solution. `variants` supplies the solutions, `trials`
executes them, `result` holds what follows, and `matrix` reports it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from nbproctor.audit import trials
from nbproctor.audit.checks import check_scores
from nbproctor.audit.result import AuditResult, Entry
from nbproctor.audit.trials import TrialError, TrialResult
from nbproctor.audit.variants import Variants
from nbproctor.engine import Servers, Settings
from nbproctor.errors import NbproctorError
from nbproctor.notebook import MasterNotebook, support_files
from nbproctor.results import Check
from nbproctor.sandbox.layers import Policy
from nbproctor.sandbox.processors import processors

__all__ = ["AuditError", "AuditResult", "audit"]


class AuditError(NbproctorError):
    """The tests cannot be tried at all; the message says why and what to do."""


def audit(
    course: Path,
    assignment: str,
    checks: Sequence[Check] = (),
    workers: int | None = None,
    progress: Callable[[TrialResult], object] = lambda result: None,
    exercise: str | None = None,
) -> AuditResult:
    """Try the tests of an assignment.

    Parameters
    ----------
    course : Path
        Folder with ``source/<assignment>/`` and, if there are any,
        ``variants/<assignment>/``.
    assignment : str
        Name of the assignment.
    checks : sequence of Check
        Further checks of the assignment, to be reported with the rest.
    workers : int, optional
        Processes side by side; as many as there are processors if not given.
    progress : callable
        Called after each solution that was tried, from some thread.
    exercise : str, optional
        Try the tests of this exercise only.

    Returns
    -------
    AuditResult
        `faults` is empty if the tests are fair and strict.

    Raises
    ------
    AuditError
        Assignment or exercise are unknown, or the assignment's solutions do not run.
    """
    start = time.monotonic()
    notebooks = sorted((course / "source" / assignment).glob("*.ipynb"))
    if not notebooks:
        others = sorted({p.parent.name for p in course.glob("source/*/*.ipynb")})
        raise AuditError(
            f"There is no notebook in {course / 'source' / assignment}. Assignments "
            f"in this course: {', '.join(others) or 'none'}."
        )
    release = course / "release" / assignment
    masters = [MasterNotebook.read(path, release / path.name) for path in notebooks]
    references = {c.id: c.source for b in masters for c in b.of_kind("solution")}
    if exercise is not None and exercise not in references:
        raise AuditError(
            f"There is no exercise {exercise!r} in {assignment}. Its exercises: "
            f"{', '.join(references)}."
        )
    folder = course / "variants" / assignment
    variants = Variants.read(folder, references).of(exercise)
    all_checks = list(checks)
    comments = {c.id: c.stub for m in masters for c in m.of_kind("test")}
    results: list[TrialResult] = []
    for path, master in zip(notebooks, masters, strict=True):
        files = support_files(path.parent, master.data)
        policy = Policy(files=tuple(files.items()), weak=True)
        try:
            results += trials.hold(
                master,
                path.parent,
                variants.trials,
                variants.oracles,
                policy,
                workers or processors(),
                progress,
            )
        except TrialError as error:
            raise AuditError(f"{path}: {error}") from error
        settings = Settings(policy=policy, follow_through=False)
        with Servers() as servers:
            all_checks += check_scores(master, settings, servers)
    return AuditResult(
        assignment=assignment,
        tests={
            name: tuple(c.id for c in b.cells if c.exercise == name and c.points)
            for b in masters
            for name in b.exercises
            if exercise in (None, name)
        },
        entries=tuple(
            _entry(result, variants, comments)
            for result in results
            if exercise in (None, result.trial.exercise)
        ),
        checks=tuple(all_checks),
        problems=tuple(variants.problems),
        hints=tuple(_hints(variants, folder)),
        seconds=time.monotonic() - start,
    )


def _entry(result: TrialResult, variants: Variants, comments: dict[str, str]) -> Entry:
    trial = result.trial
    variant = variants.written.get((trial.exercise, trial.kind, trial.name))
    announced = variant.announced if variant else ""
    warned = any(not verdict.max_points for verdict in result.failed)
    silent = {v: v.max_points - v.points for v in result.failed if not warned}
    key = trial.exercise, trial.name
    is_mutant = trial.kind == "mutant"
    return Entry(
        exercise=trial.exercise,
        kind=trial.kind,
        name=trial.name,
        place=variant.place if variant else "",
        diff=variants.diffs[key] if is_mutant else "",
        lost=result.lost,
        most=sum(verdict.max_points for verdict in result.verdicts),
        caught={verdict.cell_id: verdict.message for verdict in result.failed},
        says=variant.says if variant else (),
        unnamed=bool(variant and variant.unnamed),
        silent=sum(silent.values()),
        unannounced=sum(
            points
            for verdict, points in silent.items()
            if not announced or announced not in comments[verdict.cell_id]
        ),
        disagreement=result.disagreement,
        fuzzed=result.fuzzed,
        equivalent=variants.equivalent.get(key, "") if is_mutant else "",
        notes=result.notes,
    )


def _hints(variants: Variants, folder: Path) -> list[str]:
    bare = variants.without()
    if not bare:
        return []
    return [
        f"Only mutants were tried for {', '.join(bare)}. Put right solutions into "
        f"{folder / bare[0] / 'right'}, one a file, and wrong ones into "
        f"{folder / bare[0] / 'wrong.toml'}, to see that no right one loses a point "
        f"and no wrong one keeps all."
    ]
